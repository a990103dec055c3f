import type { PeerPolicy } from '../kernel/transfer-policy.js';

/** A registered server as others need to know it. */
export interface PeerContact {
  /** The other server's own id. */
  readonly peerId: string;
  readonly name: string;
  /** Base URL, without a slash at the end. */
  readonly url: string;
  /** Raw 32-byte Ed25519 public key, base64url. */
  readonly publicKey: string;
  readonly suspended: boolean;
  readonly policy: PeerPolicy;
}

/** The registered peers of this server, answered from memory and kept up to date. Unregistered ones are not in it. */
export abstract class PeerDirectory {
  abstract find(peerId: string): Promise<PeerContact | null>;
  /** The key that the peer had before its present one: it counts for another minute, null afterwards. */
  abstract formerKeyOf(peerId: string): string | null;
  /** One that was unregistered here; null when there was never such a one, or it is registered. */
  abstract findFormer(peerId: string): Promise<{ readonly name: string; readonly publicKey: string } | null>;
  abstract list(): Promise<readonly PeerContact[]>;
  /** Calls back after each change; returns the way to stop that. */
  abstract onChange(listener: () => void): () => void;
}
