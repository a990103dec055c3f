import { describe, it } from 'vitest';
import { specOf } from '../../../../test/support/given-when-then.js';
import { invitation, type InvitationCommand } from './invitation.decider.js';

const { given } = specOf(invitation);
const invited = {
  type: 'PeerInvited',
  data: { invitationId: 'i1', secretHash: 'hash', expiresAt: '2026-01-01T13:00:00.000Z' },
} as const;
const server = { invitationId: 'i1', peerId: 'p1', publicKey: 'key1' };
const accepted = { type: 'PeerInvitationAccepted', data: server } as const;
const accept = (change: object = {}): InvitationCommand => ({
  type: 'accept',
  ...server,
  secretMatches: true,
  now: '2026-01-01T12:30:00.000Z',
  ...change,
});
const late = { now: '2026-01-01T13:00:00.001Z' };

describe('invitation', () => {
  it('is accepted with its secret, in time', () => {
    given(invited).when(accept()).gives(accepted);
  });

  it('gives the same answer to a wrong secret and to an invitation that never was', () => {
    given(invited)
      .when(accept({ secretMatches: false }))
      .refuses('INVALID_INVITATION');
    given().when(accept()).refuses('INVALID_INVITATION');
  });

  it('expires', () => {
    given(invited).when(accept(late)).refuses('INVITATION_EXPIRED');
  });

  it('changes nothing when the same server uses it again, also late', () => {
    given(invited, accepted).when(accept(late)).gives();
  });

  it('is good for one server and one key', () => {
    given(invited, accepted)
      .when(accept({ peerId: 'p2' }))
      .refuses('INVALID_INVITATION');
    given(invited, accepted)
      .when(accept({ publicKey: 'key2' }))
      .refuses('INVALID_INVITATION');
  });

  it('asks for the secret also when it was used', () => {
    given(invited, accepted)
      .when(accept({ secretMatches: false }))
      .refuses('INVALID_INVITATION');
  });
});
