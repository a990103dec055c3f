import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { CHUNK_SIZE, addRange, type ChunkRange } from '../../../kernel/chunk-ranges.js';
import { DIGEST_BYTES } from '../../../kernel/chunk-verifier.js';
import { errorCode } from '../../../kernel/errors.js';
import type { FileDamage, ReadPace, ExpectedContent, RunningDigest } from '../../../ports/package-storage.port.js';
import { workerFile } from '../../shared/worker-file.js';
import { unlessMissing } from './disk-errors.js';

/** What the main thread asks of the file digest thread. `job` names one file. */
export type DigestRequest =
  | { readonly kind: 'open'; readonly job: number; readonly path: string }
  /** The first `upTo` bytes are final and may be read. */
  | { readonly kind: 'advance'; readonly job: number; readonly upTo: number }
  /** Reads on to the end of the file. */
  | { readonly kind: 'finish'; readonly job: number }
  | { readonly kind: 'drop'; readonly job: number }
  /** Compares the chunks from `start` on with their digests; needs no `open`. */
  | {
      readonly kind: 'check';
      readonly job: number;
      readonly path: string;
      readonly sha256: Uint8Array;
      readonly start: number;
    };

export interface DigestReply {
  readonly job: number;
  /** To `finish`: lower-case hex. */
  readonly sha256?: string;
  /** To `check`. */
  readonly damaged?: readonly ChunkRange[];
  readonly error?: { readonly message: string; readonly code: string | undefined };
}

interface Waiting {
  resolve(reply: DigestReply): void;
  reject(error: unknown): void;
}

/** A thread that reads files and computes their SHA-256, of the whole or of each chunk. */
export class DigestThread {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private lastJob = 0;

  beginDigest(path: string): RunningDigest {
    const job = (this.lastJob += 1);
    const worker = this.running();
    const send = (request: DigestRequest): void => worker.postMessage(request);
    send({ kind: 'open', job, path });
    return {
      advance: (upTo) => send({ kind: 'advance', job, upTo }),
      finish: async () => (await this.ask(worker, { kind: 'finish', job })).sha256 ?? '',
      drop: () => send({ kind: 'drop', job }),
    };
  }

  async findDamagedChunks(path: string, sha256: Uint8Array, start = 0): Promise<readonly ChunkRange[]> {
    const job = (this.lastJob += 1);
    return (await this.ask(this.running(), { kind: 'check', job, path, sha256, start })).damaged ?? [];
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
  }

  private ask(worker: Worker, request: DigestRequest): Promise<DigestReply> {
    return new Promise((resolve, reject) => {
      if (this.worker !== worker) return reject(new Error('The digest thread ended'));
      this.waiting.set(request.job, { resolve, reject });
      worker.postMessage(request);
    });
  }

  private running(): Worker {
    this.worker ??= this.start();
    return this.worker;
  }

  private start(): Worker {
    const worker = new Worker(workerFile(import.meta.url, 'digest.worker'));
    worker.unref();
    worker.on('message', (reply: DigestReply) => this.settle(reply));
    worker.on('error', (error) => this.fail(worker, error));
    worker.on('exit', () => this.fail(worker, new Error('The digest thread ended')));
    return worker;
  }

  private settle(reply: DigestReply): void {
    const waiting = this.waiting.get(reply.job);
    this.waiting.delete(reply.job);
    if (!reply.error) return waiting?.resolve(reply);
    waiting?.reject(Object.assign(new Error(reply.error.message), { code: reply.error.code }));
  }

  private fail(worker: Worker, error: unknown): void {
    if (this.worker !== worker) return;
    this.worker = null;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
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
