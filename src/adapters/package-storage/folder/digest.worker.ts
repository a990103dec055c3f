import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { CHUNK_SIZE, addRange, type ChunkRange } from '../../../kernel/chunk-ranges.js';
import { ChunkVerifier, DIGEST_BYTES, type ChunkVerdict } from '../../../kernel/chunk-verifier.js';
import { errorCode } from '../../../kernel/errors.js';
import { serveCalls } from '../../shared/worker-client.js';
import type { DigestReply, DigestRequest } from './digest-thread.js';

/**
 * Returns the ranges of chunks of a file, from `start` on, whose SHA-256 is not the given one (32 bytes a chunk, end to
 * end). Reads the file once, in order.
 */
async function findDamagedChunks(path: string, sha256: Uint8Array, start = 0): Promise<ChunkRange[]> {
  const range = { first: start, count: sha256.length / DIGEST_BYTES };
  // The size of the package is not known here: the last chunk ends where the file ends.
  const expected = { range, packageSize: (start + range.count) * CHUNK_SIZE, chunkSize: CHUNK_SIZE, sha256 };
  const verifier = new ChunkVerifier(expected, () => createHash('sha256'));
  const file = await open(path, 'r');
  try {
    let damaged: ChunkRange[] = [];
    const buffer = Buffer.allocUnsafeSlow(CHUNK_SIZE);
    while (!verifier.isFinished) {
      const { index, isVerified } = await verifyChunk(file, verifier, buffer, start * CHUNK_SIZE);
      if (!isVerified) damaged = addRange(damaged, { first: index, count: 1 });
    }
    return damaged;
  } finally {
    await file.close();
  }
}

/** A chunk is shorter where the file ends, and where the disk reports an error instead of giving the bytes. */
async function verifyChunk(
  file: FileHandle,
  verifier: ChunkVerifier,
  buffer: Buffer,
  rangeStart: number,
): Promise<ChunkVerdict> {
  for (;;) {
    const position = rangeStart + verifier.receivedBytes;
    const count = await readSome(file, buffer.subarray(0, verifier.missingBytes), position);
    const verdict = count === 0 ? verifier.endChunk() : verifier.update(buffer.subarray(0, count));
    if (verdict) return verdict;
  }
}

async function readSome(file: FileHandle, into: Buffer, position: number): Promise<number> {
  try {
    return (await file.read(into, 0, into.length, position)).bytesRead;
  } catch (error) {
    if (errorCode(error) === 'EIO') return 0;
    throw error;
  }
}

const BUFFER_SIZE = 1024 * 1024;
/** The size that gives the best speed while the bytes are in the page cache. */
const SLICE = 64 * 1024;

/** SHA-256 of one file, read in order and only as far as it has been told that the bytes are final. */
class FileDigest {
  private readonly hash = createHash('sha256');
  private readonly buffers = [Buffer.allocUnsafeSlow(BUFFER_SIZE), Buffer.allocUnsafeSlow(BUFFER_SIZE)] as const;
  private readonly file: Promise<FileHandle>;
  private position = 0;
  private goal = 0;
  private work: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(path: string) {
    this.file = open(path, 'r');
    this.file.catch(() => undefined);
  }

  /** Reads on in the background; an error comes in `finish`. */
  advance(upTo: number): void {
    this.goal = Math.max(this.goal, upTo);
    this.work = this.work.then(() => this.readOn());
    this.work.catch(() => undefined);
  }

  async finish(): Promise<string> {
    this.advance((await (await this.file).stat()).size);
    await this.work;
    await this.close();
    return this.hash.digest('hex');
  }

  async close(): Promise<void> {
    this.stopped = true;
    await this.work.catch(() => undefined);
    await (await this.file).close();
  }

  /** While one buffer is hashed, the other is filled. */
  private async readOn(): Promise<void> {
    const file = await this.file;
    let [current, next] = this.buffers;
    let filled = this.read(file, current);
    while (this.position < this.goal && !this.stopped) {
      const count = await filled;
      if (count === 0) throw new Error('The file is shorter than expected');
      this.position += count;
      filled = this.read(file, next);
      this.update(current.subarray(0, count));
      [current, next] = [next, current];
    }
    await filled;
  }

  private async read(file: FileHandle, into: Buffer): Promise<number> {
    const length = Math.min(into.length, this.goal - this.position);
    return length <= 0 ? 0 : (await file.read(into, 0, length, this.position)).bytesRead;
  }

  private update(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += SLICE) this.hash.update(bytes.subarray(at, at + SLICE));
  }
}

const jobs = new Map<number, FileDigest>();

function takeJob(job: number): FileDigest | undefined {
  const digest = jobs.get(job);
  jobs.delete(job);
  return digest;
}

async function finishDigest(digest: FileDigest | undefined): Promise<DigestReply> {
  if (!digest) throw new Error('The digest thread was restarted while the file was read');
  try {
    return { sha256: await digest.finish() };
  } catch (error) {
    await digest.close().catch(() => undefined);
    throw error;
  }
}

serveCalls<DigestRequest, DigestReply>(async (request) => {
  if (request.kind === 'check') {
    return { damaged: await findDamagedChunks(request.path, request.sha256, request.start) };
  }
  if (request.kind === 'finish') return finishDigest(takeJob(request.job));
  if (request.kind === 'open') jobs.set(request.job, new FileDigest(request.path));
  if (request.kind === 'advance') jobs.get(request.job)?.advance(request.upTo);
  if (request.kind === 'drop')
    await takeJob(request.job)
      ?.close()
      .catch(() => undefined);
  return {};
});
