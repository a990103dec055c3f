import { type DomainEvent, EventFamily, withFields } from '../../../kernel/events.js';
import type { PeerPolicy } from '../../../kernel/transfer-policy.js';

/** Stream `peer-invitation-<id>`. Only a hash of the one-time secret is kept (SHA-256, hex). */
export type PeerInvited = DomainEvent<
  'PeerInvited',
  { readonly invitationId: string; readonly secretHash: string; readonly expiresAt: string }
>;

/** Stream `peer-invitation-<id>`. The secret was used by this server and opens nothing for any other. */
export type PeerInvitationAccepted = DomainEvent<
  'PeerInvitationAccepted',
  { readonly invitationId: string; readonly peerId: string; readonly publicKey: string }
>;

/** Streams `peer-<peerId>` from here on; the peer id is the other server's own id. */
export type PeerRegistered = DomainEvent<
  'PeerRegistered',
  {
    readonly peerId: string;
    readonly name: string;
    readonly url: string;
    /** Raw 32-byte Ed25519 public key, base64url. */
    readonly publicKey: string;
    readonly invitationId: string;
    /** The key of ours that it recorded; null in old events: the one that was ours then. */
    readonly ourPublicKey: string | null;
  }
>;

/** It told us of its new key, by a call signed with the one that we knew. The former counts for another minute. */
export type PeerKeyRotated = DomainEvent<
  'PeerKeyRotated',
  {
    readonly peerId: string;
    readonly name: string;
    readonly publicKey: string;
    readonly previousPublicKey: string;
    /** Counts that server's keys: one that was told late does not replace a later one. */
    readonly rotation: number;
  }
>;

/** It has recorded this key of ours: calls to it are signed with it from now on. */
export type PeerKeyAcknowledged = DomainEvent<
  'PeerKeyAcknowledged',
  { readonly peerId: string; readonly name: string; readonly publicKey: string }
>;

export type PeerSettingsChanged = DomainEvent<
  'PeerSettingsChanged',
  { readonly peerId: string; readonly name: string; readonly url: string }
>;
/** What is exchanged with the peer from now on, when and how fast. */
export type PeerPolicyChanged = DomainEvent<
  'PeerPolicyChanged',
  PeerPolicy & { readonly peerId: string; readonly name: string }
>;
export type PeerSuspended = DomainEvent<'PeerSuspended', { readonly peerId: string; readonly name: string }>;
export type PeerResumed = DomainEvent<'PeerResumed', { readonly peerId: string; readonly name: string }>;
export type PeerUnregistered = DomainEvent<'PeerUnregistered', { readonly peerId: string; readonly name: string }>;

/** Stream `peer-calls`: a call to /peer/v1 was refused. `keyId` is what the caller claimed, cut to 200 characters. */
export type PeerCallRefused = DomainEvent<
  'PeerCallRefused',
  {
    readonly code: string;
    readonly reason: string;
    readonly method: string;
    readonly path: string;
    readonly keyId: string | null;
    /** Refusals since the last recorded one that were not recorded, to keep strangers from filling the log. */
    readonly unrecorded: number;
  }
>;

export type PeerEvent =
  | PeerInvited
  | PeerInvitationAccepted
  | PeerRegistered
  | PeerKeyRotated
  | PeerKeyAcknowledged
  | PeerSettingsChanged
  | PeerPolicyChanged
  | PeerSuspended
  | PeerResumed
  | PeerUnregistered
  | PeerCallRefused;

export const peerEvents = new EventFamily<PeerEvent>({
  PeerInvited: { version: 1 },
  PeerInvitationAccepted: { version: 1 },
  PeerRegistered: { version: 2, upcasters: { 1: withFields({ ourPublicKey: null }) } },
  PeerKeyRotated: { version: 1 },
  PeerKeyAcknowledged: { version: 1 },
  PeerSettingsChanged: { version: 1 },
  PeerPolicyChanged: { version: 1 },
  PeerSuspended: { version: 1 },
  PeerResumed: { version: 1 },
  PeerUnregistered: { version: 1 },
  PeerCallRefused: { version: 1 },
});
