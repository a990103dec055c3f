import { stat } from 'node:fs/promises';
import { addRange, type ChunkRange } from '../../../../kernel/runs.js';
import {
  CHUNK_SIZE,
  type FileDamage,
  type Pace,
  type PublishedContent,
} from '../../../../ports/package-storage.port.js';
import { errorCode } from '../../../shared/errors.js';
import { unlessMissing } from '../disk-errors.js';
import type { DigestThread } from './digest-thread.js';

const DIGEST_BYTES = 32;
/** Read in one go, between two looks at the pace. */
const CHUNKS_AT_ONCE = 4;

/** Compares a file with its chunks' digests, a few MiB at a time in the digest thread. */
export async function examineFile(
  thread: DigestThread,
  path: string,
  content: PublishedContent,
  pace: Pace,
): Promise<FileDamage | null> {
  const chunkCount = content.sha256.length / DIGEST_BYTES;
  const gone: FileDamage = { lost: addRange([], { first: 0, count: chunkCount }), missing: true };
  const found = await stat(path).catch(unlessMissing);
  if (!found?.isFile()) return gone;
  try {
    const lost = await lostChunks(thread, path, content, pace);
    return lost.length === 0 && found.size === content.size ? null : { lost, missing: false };
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return gone;
  }
}

async function lostChunks(
  thread: DigestThread,
  path: string,
  { size, sha256 }: PublishedContent,
  pace: Pace,
): Promise<readonly ChunkRange[]> {
  let lost: readonly ChunkRange[] = [];
  for (let first = 0; first * DIGEST_BYTES < sha256.length; first += CHUNKS_AT_ONCE) {
    // Copied: a message takes along all of the memory that a view is of.
    const digests = new Uint8Array(sha256.subarray(first * DIGEST_BYTES, (first + CHUNKS_AT_ONCE) * DIGEST_BYTES));
    await pace(Math.min(CHUNKS_AT_ONCE * CHUNK_SIZE, size - first * CHUNK_SIZE));
    lost = (await thread.damagedChunks(path, digests, first)).reduce<readonly ChunkRange[]>(addRange, lost);
  }
  return lost;
}
