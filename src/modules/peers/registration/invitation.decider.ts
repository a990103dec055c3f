import type { Aggregate } from '../../../kernel/decider.js';
import { Refusal } from '../../../kernel/errors.js';
import { ALL_RIGHTS, applyRightsChange, type RightsChange } from '../contracts/peer-rights.js';
import { peerEvents, type PeerEvent, type PeerInvited } from '../contracts/peer.events.js';

/** An invitation that this server created. */
interface Invitation {
  /** SHA-256 of the one-time secret, in hex. */
  readonly secretHash: string;
  /** ISO 8601, UTC. */
  readonly expiresAt: string;
  /** The only server that may use it, also with another key than the known one; null for any server that is not known. */
  readonly forServerId: string | null;
  /** Rights of the server that uses it, as far as they are given. */
  readonly rights: RightsChange | null;
  readonly usedBy: { readonly peerId: string; readonly publicKey: string } | null;
}

/** Null before the invitation is created. */
export type InvitationState = Invitation | null;

/** The commands on an invitation. */
export type InvitationCommand =
  | { readonly type: 'invite'; readonly as: PeerInvited['data'] }
  | {
      readonly type: 'accept';
      readonly invitationId: string;
      readonly peerId: string;
      readonly publicKey: string;
      /** True when the caller sent the right secret. The caller of the decider compares it in constant time. */
      readonly secretMatches: boolean;
      /** ISO 8601, UTC. */
      readonly now: string;
    };

type Accept = Extract<InvitationCommand, { type: 'accept' }>;

/** The message is the same for an unknown invitation and for a wrong secret, so that it reveals nothing. */
const invalidInvitation = (): Refusal =>
  new Refusal('INVALID_INVITATION', 'This invitation is not valid. Ask for a new one.');

/** Rights that cannot be given are refused now, and not on the other server later. @throws Refusal INVALID_REQUEST */
function decideInvitation(as: PeerInvited['data']): readonly PeerEvent[] {
  const { rights: given = null } = as;
  if (given === null) return [{ type: 'PeerInvited', data: as }];
  const checked = applyRightsChange(ALL_RIGHTS, given);
  const rights = given.filenames ? { ...given, filenames: checked.filenames } : given;
  return [{ type: 'PeerInvited', data: { ...as, rights } }];
}

function decideAcceptance(command: Accept, state: InvitationState): readonly PeerEvent[] {
  if (!state || !command.secretMatches) throw invalidInvitation();
  const { invitationId, peerId, publicKey, now } = command;
  if (state.forServerId !== null && state.forServerId !== peerId)
    throw new Refusal('INVALID_INVITATION', 'This invitation was made for another server. Ask for a new one.');
  if (state.usedBy) {
    if (state.usedBy.peerId === peerId && state.usedBy.publicKey === publicKey) return [];
    throw new Refusal('INVALID_INVITATION', 'This invitation was used by another server. Ask for a new one.');
  }
  if (now > state.expiresAt) throw new Refusal('INVITATION_EXPIRED', 'This invitation has expired. Ask for a new one.');
  return [{ type: 'PeerInvitationAccepted', data: { invitationId, peerId, publicKey } }];
}

/** An invitation can be used by one server, once. Streams `peer-invitation-<id>`. */
export const invitation: Aggregate<InvitationState, InvitationCommand, PeerEvent> = {
  category: 'peer-invitation',
  events: peerEvents,
  initial: null,

  decide(command, state) {
    return command.type === 'invite' ? decideInvitation(command.as) : decideAcceptance(command, state);
  },

  evolve(state, event) {
    if (event.type === 'PeerInvited') {
      const { secretHash, expiresAt, forServerId = null, rights = null } = event.data;
      return { secretHash, expiresAt, forServerId, rights, usedBy: null };
    }
    if (event.type === 'PeerInvitationAccepted' && state) {
      return { ...state, usedBy: { peerId: event.data.peerId, publicKey: event.data.publicKey } };
    }
    return state;
  },
};
