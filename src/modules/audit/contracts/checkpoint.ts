/**
 * This server's word that its chain had this hash at this entry. Each names the one before, so none can be taken out.
 * Kept elsewhere, it shows later whether the chain still is the one that it was.
 */
export interface Checkpoint {
  readonly serverId: string;
  /** Counts the checkpoints, from 1. */
  readonly sequence: number;
  /** The last entry that it covers. */
  readonly number: number;
  /** Of that entry: SHA-256, lower-case hex. */
  readonly hash: string;
  /** ISO 8601. */
  readonly at: string;
  /** Raw 32-byte Ed25519 public key by which it is signed, base64url. */
  readonly key: string;
  /** SHA-256 of the canonical JSON of the checkpoint before, with its signature; zeros in the first. */
  readonly previous: string;
  /** Ed25519 (RFC 8032), base64url. */
  readonly signature: string;
}
