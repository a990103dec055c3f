import { countChunks, type ChunkRange } from '../../../kernel/runs.js';
import type { ChunksLost, ReplicaDamaged, ReplicaEvent } from '../contracts/replica.events.js';
import type { DamageFound, PublishedDamageFound } from './replica.commands.js';
import type { ReplicaContent, ReplicaState } from './replica.state.js';

/** More runs than that are recorded as one that holds them all, to keep the event small. */
const MAX_RECORDED_RANGES = 500;

/**
 * A power cut may lose bytes that were verified: they are fetched again. Once a request, as a disk that loses them
 * twice needs somebody to look after it.
 */
export function recordDamage(
  { actual, lost }: DamageFound,
  state: ReplicaState,
  content: ReplicaContent,
): readonly ReplicaEvent[] {
  if (lost.length > 0 && !state.lostChunks) return [lostEvent(content, lost)];
  const { packageId, filename } = content;
  const reason = lost.length > 0 ? diskReason(content, lost) : digestReason(content, actual);
  return [{ type: 'ReplicaFailed', data: { packageId, filename, code: 'DIGEST_MISMATCH', reason } }];
}

/** What was held whole is to be mended, unless it is being mended or was replaced since it was read. */
export function recordPublishedDamage(damage: PublishedDamageFound, state: ReplicaState): readonly ReplicaDamaged[] {
  const { content, round, uploaded, lost, missing } = damage;
  const isHeld = state.status === 'published' || (uploaded && state.status !== 'pending');
  if (!isHeld || round !== state.round) return [];
  const holders = [...state.holders].filter(([, { verifiedAt }]) => verifiedAt !== null).map(([peerId]) => peerId);
  const before = state.fromPeerId !== null && holders.includes(state.fromPeerId) ? state.fromPeerId : null;
  const fromPeerId = before ?? holders[0] ?? null;
  return [{ type: 'ReplicaDamaged', data: { ...content, fromPeerId, runs: limitRanges(content, lost), missing } }];
}

function lostEvent(content: ReplicaContent, lost: readonly ChunkRange[]): ChunksLost {
  const { packageId, filename, chunkCount } = content;
  return { type: 'ChunksLost', data: { packageId, filename, chunkCount, runs: limitRanges(content, lost) } };
}

function limitRanges({ chunkCount }: ReplicaContent, runs: readonly ChunkRange[]): readonly ChunkRange[] {
  const first = runs[0]?.first ?? 0;
  return runs.length > MAX_RECORDED_RANGES ? [{ first, count: chunkCount - first }] : runs;
}

const diskReason = ({ filename, chunkCount }: ReplicaContent, lost: readonly ChunkRange[]): string =>
  `${countChunks(lost)} of ${chunkCount} chunks of ${filename} are damaged on this server's disk, for the second time: they ` +
  'were verified when they were written. Check the disk, then retry: all of it is fetched again.';

/** The digests come from the origin and contradict each other, or memory is faulty somewhere. */
const digestReason = ({ filename, sha256 }: ReplicaContent, actual: string): string =>
  `Every chunk of ${filename} has the right digest, but the whole file has SHA-256 ${actual} instead of ${sha256}. Retry: ` +
  'all of it is fetched again. If it fails again, remove the package and upload it anew.';
