import { z } from 'zod';
import { canonicalJson } from '../../../kernel/text.js';
import { type Checkpoint, GENESIS, sha256 } from './chain-entry.js';

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

export type { Checkpoint };
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
