import { BASE_URL_ADVICE, isBaseUrl } from '../../../kernel/base-url.js';
import type { Aggregate } from '../../../kernel/decider.js';
import { OPEN_POLICY, type PeerPolicy, type PolicyChange } from '../../../kernel/peer-policy/peer-policy.js';
import { Refusal } from '../../../kernel/refusal.js';
import { peerEvents, type PeerEvent, type PeerRegistered } from '../contracts/peer.events.js';
import { applyPolicyChange } from './changed-policy.js';

export interface KnownPeer {
  readonly peerId: string;
  readonly name: string;
  readonly url: string;
  readonly publicKey: string;
  /** How many keys it had before this one, as far as it told us. */
  readonly rotation: number;
  /** The key of ours that it knows; null: the one that was ours when it registered. */
  readonly ourKey: string | null;
  readonly policy: PeerPolicy;
  readonly standing: 'active' | 'suspended' | 'unregistered';
  /** Invitations that were used for this peer; none of them changes anything again. */
  readonly invitations: readonly string[];
}

/** Null while the server was never registered. */
export type PeerState = KnownPeer | null;

export type PeerCommand =
  | { readonly type: 'register'; readonly as: PeerRegistered['data'] }
  | { readonly type: 'update'; readonly to: PeerUpdate }
  | { readonly type: 'suspend' | 'resume' | 'unregister' }
  /** It proved to hold the new key. */
  | { readonly type: 'rotateKey'; readonly publicKey: string; readonly rotation: number }
  | { readonly type: 'acknowledgeKey'; readonly publicKey: string };

/** What is left out stays. */
export interface PeerUpdate extends PolicyChange {
  readonly name?: string;
  readonly url?: string;
}

const MAX_NAME_LENGTH = 100;

function checkNameAndUrl(name: string, url: string): void {
  if (name.trim() === '' || name.length > MAX_NAME_LENGTH) {
    throw new Refusal('INVALID_REQUEST', `A server's name has 1 to ${MAX_NAME_LENGTH} characters.`);
  }
  if (!isBaseUrl(url)) throw new Refusal('INVALID_REQUEST', BASE_URL_ADVICE);
}

function decideRegistration(data: PeerRegistered['data'], state: PeerState): readonly PeerEvent[] {
  const active = state?.standing === 'active' && state.publicKey === data.publicKey;
  if (state?.invitations.includes(data.invitationId)) {
    if (active) return [];
    throw new Refusal('INVALID_INVITATION', 'This invitation was used before. Ask for a new one.');
  }
  if (state?.standing === 'suspended') {
    throw new Refusal('PEER_SUSPENDED', `${state.name} is known and suspended. Resume it instead.`);
  }
  checkNameAndUrl(data.name, data.url);
  return [{ type: 'PeerRegistered', data }];
}

function decideUpdate(peer: KnownPeer, { name, url, ...policy }: PeerUpdate): readonly PeerEvent[] {
  return [...changeSettings(peer, name, url), ...changePolicy(peer, policy, name)];
}

function changeSettings(peer: KnownPeer, name = peer.name, url = peer.url): readonly PeerEvent[] {
  if (name === peer.name && url === peer.url) return [];
  checkNameAndUrl(name, url);
  return [{ type: 'PeerSettingsChanged', data: { peerId: peer.peerId, name, url } }];
}

function decideKeyRotation(
  known: KnownPeer,
  { publicKey, rotation }: Extract<PeerCommand, { type: 'rotateKey' }>,
): readonly PeerEvent[] {
  const { peerId, name, publicKey: previousPublicKey } = known;
  if (publicKey === previousPublicKey || rotation <= known.rotation) return [];
  return [{ type: 'PeerKeyRotated', data: { peerId, name, publicKey, previousPublicKey, rotation } }];
}

function changePolicy(peer: KnownPeer, change: PolicyChange, name = peer.name): readonly PeerEvent[] {
  const policy = applyPolicyChange(peer.policy, change);
  return policy ? [{ type: 'PeerPolicyChanged', data: { peerId: peer.peerId, name, ...policy } }] : [];
}

/** A peer that is still registered keeps its policy when it registers anew; one that was unregistered begins anew. */
const policyAfter = (state: PeerState): PeerPolicy =>
  state === null || state.standing === 'unregistered' ? OPEN_POLICY : state.policy;

function decideOnKnown(command: Exclude<PeerCommand, { type: 'register' }>, peer: KnownPeer): readonly PeerEvent[] {
  const data = { peerId: peer.peerId, name: peer.name };
  switch (command.type) {
    case 'update':
      return decideUpdate(peer, command.to);
    case 'rotateKey':
      return decideKeyRotation(peer, command);
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

/** Another server, as this one knows it. Streams `peer-<peerId>`. */
export const peer: Aggregate<PeerState, PeerCommand, PeerEvent> = {
  category: 'peer',
  events: peerEvents,
  initial: null,

  decide(command, state) {
    if (command.type === 'register') return decideRegistration(command.as, state);
    if (!state || state.standing === 'unregistered') throw new Refusal('PEER_NOT_FOUND', 'There is no such peer.');
    return decideOnKnown(command, state);
  },

  evolve(state, event) {
    if (event.type === 'PeerRegistered') {
      const { invitationId, ourPublicKey: ourKey, ...contact } = event.data;
      const invitations = [...(state?.invitations ?? []), invitationId];
      return { ...contact, ourKey, rotation: 0, policy: policyAfter(state), standing: 'active', invitations };
    }
    if (!state) return state;
    if (event.type === 'PeerKeyRotated')
      return { ...state, publicKey: event.data.publicKey, rotation: event.data.rotation };
    if (event.type === 'PeerKeyAcknowledged') return { ...state, ourKey: event.data.publicKey };
    if (event.type === 'PeerSettingsChanged') return { ...state, name: event.data.name, url: event.data.url };
    if (event.type === 'PeerPolicyChanged') {
      const { direction, send, receive } = event.data;
      return { ...state, policy: { direction, send, receive } };
    }
    if (event.type === 'PeerSuspended') return { ...state, standing: 'suspended' };
    if (event.type === 'PeerResumed') return { ...state, standing: 'active' };
    if (event.type === 'PeerUnregistered') return { ...state, standing: 'unregistered' };
    return state;
  },
};
