import type { Json } from '../../../../kernel/json.js';
import type { FlowPolicy } from '../../../../kernel/peer-policy/peer-policy.js';
import { counted, type Story } from './story.js';
import type { PeerEvent } from '../../../peers/contracts/peer.events.js';

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

export function peerStory(event: PeerEvent): Story {
  if (event.type === 'PeerInvited' || event.type === 'PeerInvitationAccepted') return invitationStory(event);
  if (event.type === 'PeerCallRefused') return refusedCallStory(event);
  if (event.type === 'PeerPolicyChanged') return policyStory(event);
  const { peerId, name } = event.data;
  const summary = `${SUMMARIES[event.type]} ${name}`;
  return { targetType: 'PEER', targetId: peerId, targetLabel: name, summary, details: event.data };
}

function invitationStory(event: InvitationEvent): Story {
  const about = { targetType: 'INVITATION', targetId: event.data.invitationId, targetLabel: null } as const;
  if (event.type === 'PeerInvitationAccepted') {
    return { ...about, summary: `Invitation accepted by server ${event.data.peerId}`, details: event.data };
  }
  const { invitationId, expiresAt } = event.data;
  return { ...about, summary: `Invited a server, until ${expiresAt}`, details: { invitationId, expiresAt } };
}

function policyStory({ data: { peerId, name, direction, send, receive } }: PolicyEvent): Story {
  const summary = `Changed what is exchanged with ${name}, when and how fast (${direction})`;
  const details = { peerId, name, direction, send: flowDetails(send), receive: flowDetails(receive) };
  return { targetType: 'PEER', targetId: peerId, targetLabel: name, summary, details };
}

const flowDetails = ({ bytesPerSecond, windows }: FlowPolicy): Json => ({
  bytesPerSecond,
  windows: windows.map(({ days, from, to }) => ({ days: [...days], from, to })),
});

function refusedCallStory({ data }: RefusedCall): Story {
  const more = data.unrecorded > 0 ? `; ${counted(data.unrecorded, 'more call')} before it` : '';
  const summary = `Refused a peer's call (${data.code}): ${data.reason}${more}`;
  return { targetType: 'PEER', targetId: data.keyId ?? 'unknown', targetLabel: null, summary, details: data };
}
