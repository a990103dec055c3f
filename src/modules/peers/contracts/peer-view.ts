import type { Direction, FlowPolicy } from '../../../kernel/transfer-policy.js';
import type { PeerRights } from './peer-rights.js';

/** The way to call a peer: at its address, through a tunnel that it keeps open, or not at all until it opens one. */
export const PEER_ROUTES = ['DIRECT', 'TUNNEL', 'NONE'] as const;
export type PeerRouteKind = (typeof PEER_ROUTES)[number];

/** Status of a peer as it is shown. Nothing is exchanged with an UNREGISTERED peer; it is kept so that its name can be shown. */
export const PEER_STATUSES = ['REGISTERED', 'SUSPENDED', 'UNREGISTERED'] as const;
export type PeerStatus = (typeof PEER_STATUSES)[number];

/** One direction of the exchange with a peer, with its policy and whether packages may pass now. */
export interface FlowView extends FlowPolicy {
  readonly openNow: boolean;
  /** The start of the next time window. Null when one is open now or none will ever open. */
  readonly opensAt: Date | null;
}

/** A server that this one is or was registered with, as it is shown. */
export interface PeerView {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  /** Raw 32-byte Ed25519 public key, base64url. */
  readonly publicKey: string;
  readonly state: PeerStatus;
  readonly direction: Direction;
  readonly send: FlowView;
  readonly receive: FlowView;
  readonly rights: PeerRights;
  readonly registeredAt: Date;
  readonly changedAt: Date;
  /** True when the peer has recorded the current key of this server. */
  readonly knowsOurKey: boolean;
}
