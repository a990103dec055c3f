// Declares the error codes and permissions of this module, and the sentences that describe its events.
import type { Json } from '../../kernel/events.js';
import { type FlowPolicy, OPEN_POLICY, type PeerPolicy } from '../../kernel/transfer-policy.js';
import { declarePermissions } from '../../kernel/access.js';
import { declareErrorCodes } from '../../platform/http/errors/error-codes.js';
import {
  counted,
  declareEvents,
  type EventDescription,
  type Fields,
} from '../../platform/eventsourcing/event-descriptions.js';
import { type PeerEvent, peerEvents } from './contracts/peer.events.js';

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
type RefusedCall = Extract<PeerEvent, { type: 'PeerCallRefused' }>;

const SUMMARIES = {
  PeerRegistered: 'Registered',
  PeerKeyRotated: 'Recorded the new key of',
  PeerKeyAcknowledged: 'The new key of this server is known to',
  PeerSettingsChanged: 'Changed the settings of',
  PeerSuspended: 'Suspended',
  PeerResumed: 'Resumed',
  PeerUnregistered: 'Unregistered',
} as const;

function describePeerEvent(event: PeerEvent): EventDescription {
  if (event.type === 'PeerInvited' || event.type === 'PeerInvitationAccepted') return describeInvitation(event);
  if (event.type === 'PeerCallRefused') return describeRefusedCall(event);
  if (event.type === 'PeerPolicyChanged') return describePolicy(event);
  const { peerId, name } = event.data;
  const summary = `${SUMMARIES[event.type]} ${name}`;
  return { targetType: 'PEER', targetId: peerId, targetLabel: name, summary, details: event.data, ...changeOf(event) };
}

type PeerChangeEvent = Exclude<PeerEvent, InvitationEvent | PolicyEvent | RefusedCall>;

/** The fields of a peer that an event changes, as this server knows them. */
function changeOf(event: PeerChangeEvent): Pick<EventDescription, 'before' | 'now'> {
  switch (event.type) {
    case 'PeerRegistered': {
      const { name, url, publicKey } = event.data;
      return { now: { name, url, publicKey, registered: true, suspended: false } };
    }
    case 'PeerKeyRotated':
      return { before: { publicKey: event.data.previousPublicKey }, now: { publicKey: event.data.publicKey } };
    case 'PeerKeyAcknowledged':
      return { now: { knowsKey: event.data.publicKey } };
    case 'PeerSettingsChanged':
      return { now: { name: event.data.name, url: event.data.url } };
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
  const { invitationId, expiresAt } = event.data;
  return { ...about, summary: `Invited a server, until ${expiresAt}`, details: { invitationId, expiresAt } };
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
