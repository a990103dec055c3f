import type { Direction, FlowPolicy } from '../../../kernel/transfer-policy.js';

/** How a peer is called: at its address, through tunnels that it holds open, or not until it opens one. */
export const PEER_ROUTES = ['DIRECT', 'TUNNEL', 'NONE'] as const;
export type PeerRouteKind = (typeof PEER_ROUTES)[number];

/** UNREGISTERED peers are remembered by name only; nothing is exchanged with them. */
export const PEER_STATUSES = ['REGISTERED', 'SUSPENDED', 'UNREGISTERED'] as const;
export type PeerStatus = (typeof PEER_STATUSES)[number];

/** A direction of the exchange with a peer, as it is now. */
export interface FlowView extends FlowPolicy {
  readonly openNow: boolean;
  /** When the next time window begins; null when it is open now, or never opens. */
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
  readonly registeredAt: Date;
  readonly changedAt: Date;
  /** Does it know the last key of this server? */
  readonly knowsOurKey: boolean;
}
