import type { Aggregate } from '../../../kernel/decider.js';
import { Refusal } from '../../../kernel/errors.js';
import { findTextFault } from '../../../kernel/input-text.js';
import { BASE_URL_ADVICE, isBaseUrl } from '../../../kernel/text.js';
import {
  type FlowPolicy,
  minutesOf,
  OPEN_POLICY,
  type PeerPolicy,
  type PolicyChange,
  type TimeWindow,
  WEEKDAYS,
} from '../../../kernel/transfer-policy.js';
import type { KeySuccession } from '../../../kernel/introduction.js';
import {
  ALL_RIGHTS,
  applyRightsChange,
  isSameRights,
  type PeerRights,
  type RightsChange,
} from '../contracts/peer-rights.js';
import { type PeerEvent, peerEvents, type PeerRegistered } from '../contracts/peer.events.js';

/** The lowest limit that can be set, 16 KiB/s: a chunk of 1 MiB then takes about a minute. */
const MIN_BYTES_PER_SECOND = 16 * 1024;
const MAX_WINDOWS = 50;

/** Returns the policy after a change, or null when nothing changes. @throws Refusal INVALID_REQUEST */
function applyPolicyChange(policy: PeerPolicy, { direction, send, receive }: PolicyChange): PeerPolicy | null {
  const changed: PeerPolicy = {
    direction: direction ?? policy.direction,
    send: applyFlowChange('send', policy.send, send),
    receive: applyFlowChange('receive', policy.receive, receive),
  };
  return isSamePolicy(changed, policy) ? null : changed;
}

function applyFlowChange(name: string, flow: FlowPolicy, change: Partial<FlowPolicy> = {}): FlowPolicy {
  const { bytesPerSecond = flow.bytesPerSecond, windows = flow.windows } = change;
  if (bytesPerSecond !== null && !(Number.isSafeInteger(bytesPerSecond) && bytesPerSecond >= MIN_BYTES_PER_SECOND)) {
    throw invalidPolicy(
      `\`${name}.bytesPerSecond\` must be a whole number of at least ${MIN_BYTES_PER_SECOND} (16 KiB/s), or null for no limit.`,
    );
  }
  if (windows.length > MAX_WINDOWS)
    throw invalidPolicy(`\`${name}.windows\` may hold at most ${MAX_WINDOWS} time windows.`);
  return { bytesPerSecond, windows: windows.map((window) => checkedWindow(name, window)) };
}

/** Returns the window with each day once, in the order of the week. @throws Refusal INVALID_REQUEST */
function checkedWindow(name: string, { days, from, to }: TimeWindow): TimeWindow {
  const [begin, end] = [minutesOf(from), minutesOf(to)];
  if (begin === null || end === null || from === '24:00') {
    throw invalidPolicy(`A time window in \`${name}\` goes from HH:MM (00:00 to 23:59) to HH:MM (00:00 to 24:00).`);
  }
  if (begin === end) {
    throw invalidPolicy(
      `A time window in \`${name}\` begins and ends at ${from}. For a whole day, use 00:00 to 24:00.`,
    );
  }
  if (days.length === 0) throw invalidPolicy(`A time window in \`${name}\` needs at least one day.`);
  return { days: WEEKDAYS.filter((day) => days.includes(day)), from, to };
}

const invalidPolicy = (message: string): Refusal => new Refusal('INVALID_REQUEST', message);

function isSamePolicy(a: PeerPolicy, b: PeerPolicy): boolean {
  return a.direction === b.direction && isSameFlow(a.send, b.send) && isSameFlow(a.receive, b.receive);
}

function isSameFlow(a: FlowPolicy, b: FlowPolicy): boolean {
  const describeWindows = ({ windows }: FlowPolicy): string =>
    windows.map(({ days, from, to }) => `${days.join()} ${from} ${to}`).join(';');
  return a.bytesPerSecond === b.bytesPerSecond && describeWindows(a) === describeWindows(b);
}

/** A peer as the decider knows it. */
export interface KnownPeer {
  readonly peerId: string;
  readonly name: string;
  readonly url: string;
  readonly publicKey: string;
  /** Number of keys that the peer had before this one, as far as it has announced them. */
  readonly rotation: number;
  /** The key of this server that the peer has recorded; null for the key at the time of the registration. */
  readonly ourKey: string | null;
  readonly policy: PeerPolicy;
  readonly rights: PeerRights;
  readonly standing: 'active' | 'suspended' | 'unregistered';
  /** Ids of the invitations that were used for this peer. None of them can be used again. */
  readonly invitations: readonly string[];
}

/** Null as long as the server was never registered. */
type PeerState = KnownPeer | null;

/** The commands on a peer. */
export type PeerCommand =
  | {
      readonly type: 'register';
      readonly as: Omit<PeerRegistered['data'], 'rights'>;
      /** Rights that an administrator gives to it with the registration; null for none. */
      readonly rights?: RightsChange | null;
    }
  | { readonly type: 'update'; readonly to: PeerUpdate }
  | { readonly type: 'setRights'; readonly to: RightsChange }
  | { readonly type: 'suspend' | 'resume' | 'unregister' }
  /** The peer has proved that it holds the new key. */
  | {
      readonly type: 'rotateKey';
      readonly publicKey: string;
      readonly rotation: number;
      /** Valid proofs that lead to the key from former ones. */
      readonly successions?: readonly KeySuccession[];
    }
  /** The peer has announced this address and answers there. */
  | { readonly type: 'move'; readonly url: string }
  | { readonly type: 'acknowledgeKey'; readonly publicKey: string };

/** A change of name, address or policy. Fields that are left out stay as they are. */
export interface PeerUpdate extends PolicyChange {
  readonly name?: string;
  readonly url?: string;
}

const MAX_NAME_LENGTH = 100;

function checkNameAndUrl(name: string, url: string): void {
  const fault = findTextFault(name, { min: 1, max: MAX_NAME_LENGTH, anyForm: true });
  if (fault !== null) throw new Refusal('INVALID_REQUEST', `The name of a server ${fault}.`);
  if (!isBaseUrl(url)) throw new Refusal('INVALID_REQUEST', BASE_URL_ADVICE);
}

function decideRegistration(
  { as: data, rights = null }: Extract<PeerCommand, { type: 'register' }>,
  state: PeerState,
): readonly PeerEvent[] {
  const active = state?.standing === 'active' && state.publicKey === data.publicKey;
  if (state?.invitations.includes(data.invitationId)) {
    if (active) return [];
    throw new Refusal('INVALID_INVITATION', 'This invitation was used before. Ask for a new one.');
  }
  if (state?.standing === 'suspended') {
    throw new Refusal('PEER_SUSPENDED', `${state.name} is registered already and suspended. Resume it instead.`);
  }
  checkNameAndUrl(data.name, data.url);
  if (rights === null) return [{ type: 'PeerRegistered', data }];
  if (state?.standing === 'active')
    return [{ type: 'PeerRegistered', data }, ...changeRights(state, rights, data.name)];
  // One event, so that there is no moment in which the new peer has other rights.
  return [{ type: 'PeerRegistered', data: { ...data, rights: applyRightsChange(rightsAfter(state), rights) } }];
}

function decideUpdate(peer: KnownPeer, { name, url, ...policy }: PeerUpdate): readonly PeerEvent[] {
  return [...changeSettings(peer, name, url), ...changePolicy(peer, policy, name)];
}

function changeSettings(peer: KnownPeer, name = peer.name, url = peer.url): readonly PeerEvent[] {
  if (name === peer.name && url === peer.url) return [];
  checkNameAndUrl(name, url);
  return [{ type: 'PeerSettingsChanged', data: { peerId: peer.peerId, name, url } }];
}

function movePeer({ peerId, name, url: previousUrl }: KnownPeer, url: string): readonly PeerEvent[] {
  if (url === previousUrl) return [];
  checkNameAndUrl(name, url);
  return [{ type: 'PeerMoved', data: { peerId, name, url, previousUrl } }];
}

function decideKeyRotation(
  known: KnownPeer,
  { publicKey, rotation, successions = [] }: Extract<PeerCommand, { type: 'rotateKey' }>,
): readonly PeerEvent[] {
  const { peerId, name, publicKey: previousPublicKey } = known;
  if (publicKey === previousPublicKey || rotation <= known.rotation) return [];
  return [{ type: 'PeerKeyRotated', data: { peerId, name, publicKey, previousPublicKey, rotation, successions } }];
}

function changePolicy(peer: KnownPeer, change: PolicyChange, name = peer.name): readonly PeerEvent[] {
  const policy = applyPolicyChange(peer.policy, change);
  return policy ? [{ type: 'PeerPolicyChanged', data: { peerId: peer.peerId, name, ...policy } }] : [];
}

function changeRights(peer: KnownPeer, change: RightsChange, name = peer.name): readonly PeerEvent[] {
  const rights = applyRightsChange(peer.rights, change);
  if (isSameRights(rights, peer.rights)) return [];
  return [{ type: 'PeerRightsChanged', data: { peerId: peer.peerId, name, ...rights } }];
}

/** A server keeps its rights when it registers again, also after it was unregistered: limits end only when somebody ends them. */
const rightsAfter = (state: PeerState): PeerRights => state?.rights ?? ALL_RIGHTS;

/** A peer that is still registered keeps its policy when it registers again. One that was unregistered gets the open policy. */
const policyAfter = (state: PeerState): PeerPolicy =>
  state === null || state.standing === 'unregistered' ? OPEN_POLICY : state.policy;

function decideOnKnown(command: Exclude<PeerCommand, { type: 'register' }>, peer: KnownPeer): readonly PeerEvent[] {
  const data = { peerId: peer.peerId, name: peer.name };
  switch (command.type) {
    case 'update':
      return decideUpdate(peer, command.to);
    case 'setRights':
      return changeRights(peer, command.to);
    case 'rotateKey':
      return decideKeyRotation(peer, command);
    case 'move':
      return movePeer(peer, command.url);
    case 'acknowledgeKey':
      return peer.ourKey === command.publicKey
        ? []
        : [{ type: 'PeerKeyAcknowledged', data: { ...data, publicKey: command.publicKey } }];
    case 'suspend':
      return peer.standing === 'suspended' ? [] : [{ type: 'PeerSuspended', data }];
    case 'resume':
      return peer.standing === 'active' ? [] : [{ type: 'PeerResumed', data }];
    case 'unregister':
      return [{ type: 'PeerUnregistered', data }];
  }
}

/** Another server that is or was registered with this one. Streams `peer-<peerId>`. */
export const peer: Aggregate<PeerState, PeerCommand, PeerEvent> = {
  category: 'peer',
  events: peerEvents,
  initial: null,

  decide(command, state) {
    if (command.type === 'register') return decideRegistration(command, state);
    if (!state || state.standing === 'unregistered') throw new Refusal('PEER_NOT_FOUND', 'There is no such peer.');
    return decideOnKnown(command, state);
  },

  evolve(state, event) {
    if (event.type === 'PeerRegistered') {
      const { invitationId, ourPublicKey: ourKey, rights: given = null, ...contact } = event.data;
      const rights = given ?? rightsAfter(state);
      const invitations = [...(state?.invitations ?? []), invitationId];
      return { ...contact, ourKey, rotation: 0, policy: policyAfter(state), rights, standing: 'active', invitations };
    }
    if (!state) return state;
    if (event.type === 'PeerKeyRotated')
      return { ...state, publicKey: event.data.publicKey, rotation: event.data.rotation };
    if (event.type === 'PeerKeyAcknowledged') return { ...state, ourKey: event.data.publicKey };
    if (event.type === 'PeerSettingsChanged') return { ...state, name: event.data.name, url: event.data.url };
    if (event.type === 'PeerMoved') return { ...state, url: event.data.url };
    if (event.type === 'PeerPolicyChanged') {
      const { direction, send, receive } = event.data;
      return { ...state, policy: { direction, send, receive } };
    }
    if (event.type === 'PeerRightsChanged') {
      const { publishUpTo, filenames, mayTakeOver, mayChangeOthers } = event.data;
      return { ...state, rights: { publishUpTo, filenames, mayTakeOver, mayChangeOthers } };
    }
    if (event.type === 'PeerSuspended') return { ...state, standing: 'suspended' };
    if (event.type === 'PeerResumed') return { ...state, standing: 'active' };
    if (event.type === 'PeerUnregistered') return { ...state, standing: 'unregistered' };
    return state;
  },
};
