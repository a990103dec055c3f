// Declares the error codes and permissions of this module, and the sentences that describe its events.
import type { Json } from '../../kernel/events.js';
import { stampMs } from '../../kernel/hybrid-clock.js';
import { type FlowPolicy, OPEN_POLICY, type PeerPolicy } from '../../kernel/transfer-policy.js';
import { declarePermissions } from '../../kernel/access.js';
import { declareErrorCodes } from '../../platform/http/errors/error-codes.js';
import {
  counted,
  declareEvents,
  type EventDescription,
  type Fields,
} from '../../platform/eventsourcing/event-descriptions.js';
import { keyFingerprint } from '../../platform/peer-calls/ed25519.js';
import { ALL_RIGHTS, describeRights, type PeerRights } from './contracts/peer-rights.js';
import { type PeerEvent, peerEvents } from './contracts/peer.events.js';
import { type SignerEvent, signerEvents } from './contracts/signer.events.js';

const peerCodes = declareErrorCodes({
  INVALID_INVITATION: {
    status: 403,
    meaning: 'The invitation is not valid, or it was used before. Ask for a new one.',
  },
  PEER_NOT_FOUND: { status: 404, meaning: 'No server with this id is registered here.' },
  NOT_REACHABLE: {
    status: 409,
    meaning:
      'Other servers cannot call this server, so it cannot create invitations. Create the invitation on the other server.',
  },
  PEER_KEY_CONFLICT: {
    status: 409,
    meaning: 'The other server is known here with another key. Only an administrator can replace a key.',
  },
  PEER_ADDRESS_REFUSED: {
    status: 409,
    meaning:
      'This server does not connect to the address of the other server, which is, for example, a loopback or link-local one. See `ODST_ALLOWED_PEER_ADDRESSES`.',
  },
  PEER_ADDRESS_UNCONFIRMED: {
    status: 409,
    meaning:
      'A server announced a new address, and the called server does not reach it there. The log of the called server says why.',
  },
  PEER_ID_SHARED: {
    status: 409,
    meaning:
      'Two servers have the same id and key, because one is a copy of the other. The copy needs an identity of its own.',
  },
  INVITATION_EXPIRED: { status: 410, meaning: 'The invitation is more than an hour old. Ask for a new one.' },
});

declarePermissions({
  peers: { meaning: 'invite, accept, change, suspend and unregister peers', roles: ['operator'], isTokenScope: true },
});

declare module '../../kernel/access.js' {
  interface Permissions {
    peers: true;
  }
}

type PeerCodes = Record<keyof typeof peerCodes, true>;

declare module '../../kernel/errors.js' {
  interface ErrorCodes extends PeerCodes {}
}

declare module '../../platform/eventsourcing/event-descriptions.js' {
  interface EventTargets {
    PEER: true;
    INVITATION: true;
  }
}

type InvitationEvent = Extract<PeerEvent, { type: 'PeerInvited' | 'PeerInvitationAccepted' }>;
type PolicyEvent = Extract<PeerEvent, { type: 'PeerPolicyChanged' }>;
type RightsEvent = Extract<PeerEvent, { type: 'PeerRightsChanged' }>;
type RefusedCall = Extract<PeerEvent, { type: 'PeerCallRefused' }>;

const SUMMARIES = {
  PeerRegistered: 'Registered',
  PeerKeyRotated: 'Recorded the new key of',
  PeerKeyAcknowledged: 'The new key of this server is known to',
  PeerSettingsChanged: 'Changed the settings of',
  PeerMoved: 'Took over the new address of',
  PeerSuspended: 'Suspended',
  PeerResumed: 'Resumed',
  PeerUnregistered: 'Unregistered',
} as const;

function describePeerEvent(event: PeerEvent): EventDescription {
  if (event.type === 'PeerInvited' || event.type === 'PeerInvitationAccepted') return describeInvitation(event);
  if (event.type === 'PeerCallRefused') return describeRefusedCall(event);
  if (event.type === 'PeerPolicyChanged') return describePolicy(event);
  if (event.type === 'PeerRightsChanged') return describeRightsChange(event);
  const { peerId, name } = event.data;
  const rights = event.type === 'PeerRegistered' ? (event.data.rights ?? null) : null;
  const limits = rights === null ? '' : ` with these rights: ${describeRights(rights)}`;
  const proof = event.type === 'PeerMoved' ? `, which answers at ${event.data.url} with the same id and key` : '';
  const summary = `${SUMMARIES[event.type]} ${name}${limits}${proof}`;
  const details = detailsOf(event);
  return { targetType: 'PEER', targetId: peerId, targetLabel: name, summary, details, ...changeOf(event) };
}

type PeerChangeEvent = Exclude<PeerEvent, InvitationEvent | PolicyEvent | RightsEvent | RefusedCall>;

/** Proofs of a key are for programs. What events of earlier versions do not contain must not show either. */
function detailsOf(event: PeerChangeEvent): EventDescription['details'] {
  if (event.type === 'PeerRegistered') {
    const { rights = null, ...details } = event.data;
    return rights === null ? details : { ...details, rights: rightsFields(rights) };
  }
  if (event.type !== 'PeerKeyRotated') return event.data;
  const { successions: _successions, ...details } = event.data;
  return details;
}

/** The fields of a peer that an event changes, as this server knows them. */
function changeOf(event: PeerChangeEvent): Pick<EventDescription, 'before' | 'now'> {
  switch (event.type) {
    case 'PeerRegistered': {
      const { name, url, publicKey, rights = null } = event.data;
      const now = { name, url, publicKey, registered: true, suspended: false };
      return { now: rights === null ? now : { ...now, rights: rightsFields(rights) } };
    }
    case 'PeerKeyRotated':
      return { before: { publicKey: event.data.previousPublicKey }, now: { publicKey: event.data.publicKey } };
    case 'PeerKeyAcknowledged':
      return { now: { knowsKey: event.data.publicKey } };
    case 'PeerSettingsChanged':
      return { now: { name: event.data.name, url: event.data.url } };
    case 'PeerMoved':
      return { before: { url: event.data.previousUrl }, now: { url: event.data.url } };
    case 'PeerSuspended':
      return { before: { suspended: false }, now: { suspended: true } };
    case 'PeerResumed':
      return { before: { suspended: true }, now: { suspended: false } };
    case 'PeerUnregistered':
      return { before: { registered: true }, now: { registered: false } };
  }
}

function describeInvitation(event: InvitationEvent): EventDescription {
  const about = { targetType: 'INVITATION', targetId: event.data.invitationId, targetLabel: null } as const;
  if (event.type === 'PeerInvitationAccepted') {
    return { ...about, summary: `Invitation accepted by server ${event.data.peerId}`, details: event.data };
  }
  const { invitationId, expiresAt, forServerId = null, rights = null } = event.data;
  const given = rights === null ? {} : { rights: { ...rights, filenames: rights.filenames && [...rights.filenames] } };
  const limits = rights === null ? '' : ', with rights of its own';
  const details = { invitationId, expiresAt, ...given };
  if (forServerId === null) return { ...about, summary: `Invited a server, until ${expiresAt}${limits}`, details };
  const summary = `Invited the server ${forServerId}, which may replace its known key, until ${expiresAt}${limits}`;
  return { ...about, summary, details: { ...details, forServerId } };
}

function describePolicy({ data: { peerId, name, direction, send, receive } }: PolicyEvent): EventDescription {
  const summary = `Changed what is exchanged with ${name}, when and how fast (${direction})`;
  const policy = policyFields({ direction, send, receive });
  const details = { peerId, name, ...policy };
  return {
    targetType: 'PEER',
    targetId: peerId,
    targetLabel: name,
    summary,
    details,
    before: policyFields(OPEN_POLICY),
    now: policy,
  };
}

function describeRightsChange({ data: { peerId, name, ...rights } }: RightsEvent): EventDescription {
  const summary = `Changed what ${name} may publish and change here: ${describeRights(rights)}`;
  const now = rightsFields(rights);
  return {
    targetType: 'PEER',
    targetId: peerId,
    targetLabel: name,
    summary,
    details: { peerId, name, ...now },
    before: { rights: rightsFields(ALL_RIGHTS) },
    now: { rights: now },
  };
}

const rightsFields = ({ publishUpTo, filenames, mayTakeOver, mayChangeOthers }: PeerRights) => ({
  publishUpTo,
  filenames: [...filenames],
  mayTakeOver,
  mayChangeOthers,
});

const policyFields = ({ direction, send, receive }: PeerPolicy): Fields => ({
  direction,
  send: flowDetails(send),
  receive: flowDetails(receive),
});

const flowDetails = ({ bytesPerSecond, windows }: FlowPolicy): Json => ({
  bytesPerSecond,
  windows: windows.map(({ days, from, to }) => ({ days: [...days], from, to })),
});

function describeRefusedCall({ data }: RefusedCall): EventDescription {
  const more = data.unrecorded > 0 ? `; ${counted(data.unrecorded, 'more call')} before it` : '';
  const summary = `Refused a peer's call (${data.code}): ${data.reason}${more}`;
  return { targetType: 'PEER', targetId: data.keyId ?? 'unknown', targetLabel: null, summary, details: data };
}

declareEvents({ family: peerEvents, targets: ['PEER', 'INVITATION'], describe: describePeerEvent });

function describeSignerEvent(event: SignerEvent): EventDescription {
  if (event.type === 'SigningBegan') {
    const { serverId, since } = event.data;
    const at = new Date(stampMs(since)).toISOString();
    const summary = `The server ${serverId} signs its changes of packages since ${at}; unsigned ones are refused`;
    return { targetType: 'PEER', targetId: serverId, targetLabel: null, summary, details: event.data };
  }
  const { serverId, name, introducedBy } = event.data;
  const about = { targetType: 'PEER', targetId: serverId, targetLabel: name } as const;
  if (event.type === 'SignerKeyRefused') {
    const key = keyFingerprint(event.data.publicKey);
    const summary = `Refused the key ${key} of ${name} that ${introducedBy.name} introduced, because it contradicts the known keys`;
    return { ...about, summary, details: event.data };
  }
  const { keys, current } = event.data;
  const fingerprints = keys.map(keyFingerprint).join(', ');
  const withKeys = `with the ${keys.length === 1 ? 'key' : 'keys'} ${fingerprints}`;
  const summary = `${introducedBy.name} introduced ${name} ${withKeys}, so its signatures can be checked now`;
  return { ...about, summary, details: { serverId, name, keys: [...keys], current, introducedBy } };
}

declareEvents({ family: signerEvents, targets: ['PEER'], describe: describeSignerEvent });
