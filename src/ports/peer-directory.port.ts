import type { PeerPolicy } from '../kernel/transfer-policy.js';

/** A registered peer, with everything that a call to it needs. */
export interface PeerContact {
  /** Id of the other server. */
  readonly peerId: string;
  readonly name: string;
  /** Base URL, without a slash at the end. */
  readonly url: string;
  /** Raw 32-byte Ed25519 public key, base64url. */
  readonly publicKey: string;
  readonly suspended: boolean;
  readonly policy: PeerPolicy;
}

/** The registered peers of this server. They are kept in memory and up to date. */
export abstract class PeerDirectory {
  abstract find(peerId: string): Promise<PeerContact | null>;
  /** The former public key of a peer during the minute after a rotation, in which it is still accepted. Null afterwards. */
  abstract formerKeyOf(peerId: string): string | null;
  /** A peer that was unregistered on this server; null for a server that is registered or was never registered. */
  abstract findFormer(peerId: string): Promise<{ readonly name: string; readonly publicKey: string } | null>;
  abstract list(): Promise<readonly PeerContact[]>;
  /** Calls the listener after each change. Returns a function that ends this. */
  abstract onChange(listener: () => void): () => void;
}
