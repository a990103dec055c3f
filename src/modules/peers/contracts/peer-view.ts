/** UNREGISTERED peers are remembered by name only; nothing is exchanged with them. */
export const PEER_STATES = ['REGISTERED', 'SUSPENDED', 'UNREGISTERED'] as const;
export type PeerState = (typeof PEER_STATES)[number];

/** A server that this one is or was registered with, as it is shown. */
export interface PeerView {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  /** Raw 32-byte Ed25519 public key, base64url. */
  readonly publicKey: string;
  readonly state: PeerState;
  readonly registeredAt: Date;
  readonly changedAt: Date;
  /** Does it know the last key of this server? */
  readonly knowsOurKey: boolean;
}
