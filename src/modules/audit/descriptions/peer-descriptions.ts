import type { Json } from '../../../kernel/events.js';
import { OPEN_POLICY, type FlowPolicy, type PeerPolicy } from '../../../kernel/transfer-policy.js';
import { counted, type Fields, type EventDescription } from './description.js';
import type { PeerEvent } from '../../peers/contracts/peer.events.js';

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

export function describePeerEvent(event: PeerEvent): EventDescription {
  if (event.type === 'PeerInvited' || event.type === 'PeerInvitationAccepted') return describeInvitation(event);
  if (event.type === 'PeerCallRefused') return describeRefusedCall(event);
  if (event.type === 'PeerPolicyChanged') return describePolicy(event);
  const { peerId, name } = event.data;
  const summary = `${SUMMARIES[event.type]} ${name}`;
  return { targetType: 'PEER', targetId: peerId, targetLabel: name, summary, details: event.data, ...changeOf(event) };
}

type PeerChangeEvent = Exclude<PeerEvent, InvitationEvent | PolicyEvent | RefusedCall>;

/** What an event changes of a peer, as this server knows it. */
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
