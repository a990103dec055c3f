import { Command } from '@nestjs/cqrs';

/** A key as its server tells of it. */
export interface AnnouncedKey {
  /** Raw 32-byte Ed25519 public key, base64url. */
  readonly publicKey: string;
  /** How many keys that server had before. */
  readonly rotation: number;
  /** Signature by the new key over `keyProofText`. */
  readonly proof: Uint8Array;
}

/** A peer has a new key, and proves to hold it; gives the one that is on record now. Refusals: INVALID_REQUEST, PEER_NOT_FOUND. */
export class RecordPeerKey extends Command<string> {
  constructor(
    readonly peerId: string,
    readonly told: AnnouncedKey,
  ) {
    super();
  }
}
