import { z } from 'zod';
import { canonicalJson } from '../../../kernel/text.js';
import { GENESIS, sha256 } from './chain-entry.js';

/**
 * A statement, signed by this server, that its chain had this hash at this entry. Each checkpoint names the one before it,
 * so none can be removed. A checkpoint that is kept elsewhere shows later whether the chain is still the same.
 */
export interface Checkpoint {
  readonly serverId: string;
  /** Sequence number of the checkpoint, from 1. */
  readonly sequence: number;
  /** Number of the last entry that it covers. */
  readonly number: number;
  /** The hash of that entry: SHA-256, lower-case hex. */
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

const Digest = z.string().regex(/^[0-9a-f]{64}$/);

export const CheckpointShape = z.object({
  serverId: z.string().max(64),
  sequence: z.int().positive(),
  number: z.int().positive(),
  hash: Digest,
  at: z.iso.datetime(),
  key: z.string().max(64),
  previous: Digest,
  signature: z.string().max(128),
}) satisfies z.ZodType<Checkpoint>;

export type UnsignedCheckpoint = Omit<Checkpoint, 'signature'>;

/** Prevents a signature for one purpose from being used for another. */
const PURPOSE = 'odst audit checkpoint\n';

/** The bytes that are signed: the purpose, and the canonical JSON (RFC 8785) of all but the signature. */
export function checkpointBytes({ serverId, sequence, number, hash, at, key, previous }: UnsignedCheckpoint): Buffer {
  return Buffer.from(PURPOSE + canonicalJson({ serverId, sequence, number, hash, at, key, previous }));
}

/** The value of `previous` in the next checkpoint; GENESIS when there is none before. */
export const digestCheckpoint = (checkpoint: Checkpoint | null): string =>
  checkpoint ? sha256(canonicalJson({ ...checkpoint })) : GENESIS;
