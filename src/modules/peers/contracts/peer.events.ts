import { type DomainEvent, EventFamily, withFields } from '../../../kernel/events.js';
import type { PeerPolicy } from '../../../kernel/transfer-policy.js';
import type { KeySuccession } from '../../../kernel/introduction.js';
import type { PeerRights, RightsChange } from './peer-rights.js';

/** Stream `peer-invitation-<id>`. This server created an invitation. `secretHash` is the SHA-256 of its one-time secret, in hex. */
export type PeerInvited = DomainEvent<
  'PeerInvited',
  {
    readonly invitationId: string;
    readonly secretHash: string;
    readonly expiresAt: string;
    /** The only server that may use it, also with another key than the known one. Since version 2; null for any server. */
    readonly forServerId?: string | null;
    /** Rights of the server that uses it, as far as they are given. Since version 3; null when none are. */
    readonly rights?: RightsChange | null;
  }
>;

/** Stream `peer-invitation-<id>`. The server `peerId` used the invitation, so no other server can use it. */
type PeerInvitationAccepted = DomainEvent<
  'PeerInvitationAccepted',
  { readonly invitationId: string; readonly peerId: string; readonly publicKey: string }
>;

/** Stream `peer-<peerId>`, like all events of a peer below. Two servers registered with each other; `peerId` is the id of the other server. */
export type PeerRegistered = DomainEvent<
  'PeerRegistered',
  {
    readonly peerId: string;
    readonly name: string;
    readonly url: string;
    /** Raw 32-byte Ed25519 public key, base64url. */
    readonly publicKey: string;
    readonly invitationId: string;
    /** The key of this server that the peer recorded. Null in old events: the key of this server at that time. */
    readonly ourPublicKey: string | null;
    /**
     * Rights that the peer has from its first moment on. Since version 3. When it is null, a server that was registered
     * before keeps its rights, and any other one has all rights.
     */
    readonly rights?: PeerRights | null;
  }
>;

/** The peer announced a new key in a call signed with the key on record. The former key stays valid for another minute. */
type PeerKeyRotated = DomainEvent<
  'PeerKeyRotated',
  {
    readonly peerId: string;
    readonly name: string;
    readonly publicKey: string;
    readonly previousPublicKey: string;
    /** Number of keys that the peer had before. An announcement that arrives late does not replace a later key. */
    readonly rotation: number;
    /** Proofs that lead to this key from the former ones, for servers further away. Since version 2; empty before. */
    readonly successions?: readonly KeySuccession[];
  }
>;

/** The peer has recorded this key of this server, which signs the calls to it from now on. */
type PeerKeyAcknowledged = DomainEvent<
  'PeerKeyAcknowledged',
  { readonly peerId: string; readonly name: string; readonly publicKey: string }
>;

/** The peer got another name or address on this server. */
type PeerSettingsChanged = DomainEvent<
  'PeerSettingsChanged',
  { readonly peerId: string; readonly name: string; readonly url: string }
>;
/** The peer announced a new address, and answered there with the same id and key. */
type PeerMoved = DomainEvent<
  'PeerMoved',
  { readonly peerId: string; readonly name: string; readonly url: string; readonly previousUrl: string }
>;
/** The policy from now on: what is exchanged with the peer, when and how fast. */
type PeerPolicyChanged = DomainEvent<
  'PeerPolicyChanged',
  PeerPolicy & { readonly peerId: string; readonly name: string }
>;
/** The rights from now on: what the peer may publish and change here. */
export type PeerRightsChanged = DomainEvent<
  'PeerRightsChanged',
  PeerRights & { readonly peerId: string; readonly name: string }
>;
/** The exchange with the peer stopped until it is resumed. */
type PeerSuspended = DomainEvent<'PeerSuspended', { readonly peerId: string; readonly name: string }>;
/** The exchange with the peer continues. */
type PeerResumed = DomainEvent<'PeerResumed', { readonly peerId: string; readonly name: string }>;
/** The peer is no longer registered here, and its key is no longer accepted. */
type PeerUnregistered = DomainEvent<'PeerUnregistered', { readonly peerId: string; readonly name: string }>;

/** Stream `peer-calls`. A call to /peer/v1 was refused. `keyId` is the key id that the caller claimed, cut to 200 characters. */
type PeerCallRefused = DomainEvent<
  'PeerCallRefused',
  {
    readonly code: string;
    readonly reason: string;
    readonly method: string;
    readonly path: string;
    readonly keyId: string | null;
    /** Number of refusals since the last recorded one that were not recorded. This keeps strangers from filling the log. */
    readonly unrecorded: number;
  }
>;

/** Every event of this module. */
export type PeerEvent =
  | PeerInvited
  | PeerInvitationAccepted
  | PeerRegistered
  | PeerKeyRotated
  | PeerKeyAcknowledged
  | PeerSettingsChanged
  | PeerMoved
  | PeerPolicyChanged
  | PeerRightsChanged
  | PeerSuspended
  | PeerResumed
  | PeerUnregistered
  | PeerCallRefused;

/** Reads and writes the events of this module, also those of older versions. */
export const peerEvents = new EventFamily<PeerEvent>({
  PeerInvited: {
    version: 3,
    upcasters: { 1: withFields({ forServerId: null }), 2: withFields({ rights: null }) },
  },
  PeerInvitationAccepted: { version: 1 },
  PeerRegistered: {
    version: 3,
    upcasters: { 1: withFields({ ourPublicKey: null }), 2: withFields({ rights: null }) },
  },
  PeerKeyRotated: { version: 2, upcasters: { 1: withFields({ successions: [] }) } },
  PeerKeyAcknowledged: { version: 1 },
  PeerSettingsChanged: { version: 1 },
  PeerMoved: { version: 1 },
  PeerPolicyChanged: { version: 1 },
  PeerRightsChanged: { version: 1 },
  PeerSuspended: { version: 1 },
  PeerResumed: { version: 1 },
  PeerUnregistered: { version: 1 },
  PeerCallRefused: { version: 1 },
});
