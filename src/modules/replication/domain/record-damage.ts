import { countOf, type Run } from '../../../kernel/runs.js';
import type { ChunksLost, ReplicaEvent } from '../contracts/replica.events.js';
import type { DamageFound } from './replica.commands.js';
import type { ReplicaContent, ReplicaState } from './replica.state.js';

/** More runs than that are recorded as one that holds them all, to keep the event small. */
const MOST_RUNS = 500;

/**
 * A power cut may lose bytes that were verified: they are fetched again. Once a request, as a disk that loses them
 * twice needs somebody to look after it.
 */
export function recordDamage({ actual, lost }: DamageFound, state: ReplicaState, content: ReplicaContent): readonly ReplicaEvent[] {
  if (lost.length > 0 && !state.lostChunks) return [chunksLost(content, lost)];
  const { packageId, filename } = content;
  const reason = lost.length > 0 ? diskReason(content, lost) : digestReason(content, actual);
  return [{ type: 'ReplicaFailed', data: { packageId, filename, code: 'DIGEST_MISMATCH', reason } }];
}

function chunksLost({ packageId, filename, chunkCount }: ReplicaContent, lost: readonly Run[]): ChunksLost {
  const first = lost[0]?.first ?? 0;
  const runs = lost.length > MOST_RUNS ? [{ first, count: chunkCount - first }] : lost;
  return { type: 'ChunksLost', data: { packageId, filename, chunkCount, runs } };
}

const diskReason = ({ filename, chunkCount }: ReplicaContent, lost: readonly Run[]): string =>
  `${countOf(lost)} of ${chunkCount} chunks of ${filename} are damaged on this server's disk, for the second time: they ` +
  'were verified when they were written. Check the disk, then retry: all of it is fetched again.';

/** The digests come from the origin and contradict each other, or memory is faulty somewhere. */
const digestReason = ({ filename, sha256 }: ReplicaContent, actual: string): string =>
  `Every chunk of ${filename} has the right digest, but the whole file has SHA-256 ${actual} instead of ${sha256}. Retry: ` +
  'all of it is fetched again. If it fails again, remove the package and upload it anew.';
