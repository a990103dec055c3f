import { stat } from 'node:fs/promises';
import { addRange, allChunks, CHUNK_SIZE, type ChunkRange } from '../../../kernel/chunk-ranges.js';
import { DIGEST_BYTES } from '../../../kernel/chunk-verifier.js';
import { errorCode } from '../../../kernel/errors.js';
import type { FileDamage, ReadPace, ExpectedContent, RunningDigest } from '../../../ports/package-storage.port.js';
import { WorkerClient, workerFile } from '../../shared/worker-client.js';
import { unlessMissing } from './folders.js';

/** The requests of the main thread to the digest thread. `job` names one file. */
export type DigestRequest =
  | { readonly kind: 'open'; readonly job: number; readonly path: string }
  /** The first `upTo` bytes are final and may be read. Not answered. */
  | { readonly kind: 'advance'; readonly job: number; readonly upTo: number }
  /** Reads on to the end of the file. */
  | { readonly kind: 'finish'; readonly job: number }
  | { readonly kind: 'drop'; readonly job: number }
  /** Compares the chunks from `start` on with their digests; needs no `open`. */
  | { readonly kind: 'check'; readonly path: string; readonly sha256: Uint8Array; readonly start: number };

export interface DigestReply {
  /** To `finish`: lower-case hex. */
  readonly sha256?: string;
  /** To `check`. */
  readonly damaged?: readonly ChunkRange[];
}

/** A thread that reads files and computes their SHA-256, of the whole or of each chunk. */
export class DigestThread {
  private readonly client = new WorkerClient<DigestRequest, DigestReply>(
    workerFile(import.meta.url, 'digest.worker'),
    'The digest thread',
  );
  private lastJob = 0;

  beginDigest(path: string): RunningDigest {
    const job = (this.lastJob += 1);
    this.client.send({ kind: 'open', job, path });
    return {
      advance: (upTo) => this.client.sendIfRunning({ kind: 'advance', job, upTo }),
      finish: async () => (await this.client.call({ kind: 'finish', job })).sha256 ?? '',
      drop: () => this.client.sendIfRunning({ kind: 'drop', job }),
    };
  }

  async findDamagedChunks(path: string, sha256: Uint8Array, start = 0): Promise<readonly ChunkRange[]> {
    return (await this.client.call({ kind: 'check', path, sha256, start })).damaged ?? [];
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}

/** Read in one go, between two looks at the pace. */
const CHUNKS_AT_ONCE = 4;

/** Compares a file with its chunks' digests, a few MiB at a time in the digest thread. */
export async function findFileDamage(
  thread: DigestThread,
  path: string,
  content: ExpectedContent,
  pace: ReadPace,
): Promise<FileDamage | null> {
  const chunkCount = content.sha256.length / DIGEST_BYTES;
  const gone: FileDamage = { lost: allChunks(chunkCount), missing: true };
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
  { size, sha256 }: ExpectedContent,
  pace: ReadPace,
): Promise<readonly ChunkRange[]> {
  let lost: readonly ChunkRange[] = [];
  for (let first = 0; first * DIGEST_BYTES < sha256.length; first += CHUNKS_AT_ONCE) {
    // Copied: a message takes along all of the memory that a view is of.
    const digests = new Uint8Array(sha256.subarray(first * DIGEST_BYTES, (first + CHUNKS_AT_ONCE) * DIGEST_BYTES));
    await pace(Math.min(CHUNKS_AT_ONCE * CHUNK_SIZE, size - first * CHUNK_SIZE));
    lost = (await thread.findDamagedChunks(path, digests, first)).reduce<readonly ChunkRange[]>(addRange, lost);
  }
  return lost;
}
