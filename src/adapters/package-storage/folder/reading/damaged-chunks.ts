import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { addRange, type ChunkRange } from '../../../../kernel/runs.js';
import { errorCode } from '../../../shared/errors.js';
import { CHUNK_SIZE } from '../../../../ports/package-storage.port.js';

const DIGEST_BYTES = 32;

/**
 * Runs of the chunks of a file, from `start` on, whose SHA-256 is not the given one (32 bytes a chunk, end to end). One
 * pass, in order.
 */
export async function findDamagedChunks(path: string, sha256: Uint8Array, start = 0): Promise<ChunkRange[]> {
  const file = await open(path, 'r');
  try {
    let damaged: ChunkRange[] = [];
    const buffer = Buffer.allocUnsafeSlow(CHUNK_SIZE);
    for (let at = 0; at < sha256.length; at += DIGEST_BYTES) {
      const index = start + at / DIGEST_BYTES;
      const chunk = await readChunk(file, index, buffer);
      const actual = createHash('sha256').update(chunk).digest();
      if (!actual.equals(sha256.subarray(at, at + DIGEST_BYTES)))
        damaged = addRange(damaged, { first: index, count: 1 });
    }
    return damaged;
  } finally {
    await file.close();
  }
}

/** Shorter where the file ends, and where the disk gives out an error instead of the bytes. */
async function readChunk(file: FileHandle, index: number, into: Buffer): Promise<Buffer> {
  let filled = 0;
  while (filled < into.length) {
    const count = await readSome(file, into.subarray(filled), index * CHUNK_SIZE + filled);
    if (count === 0) break;
    filled += count;
  }
  return into.subarray(0, filled);
}

async function readSome(file: FileHandle, into: Buffer, position: number): Promise<number> {
  try {
    return (await file.read(into, 0, into.length, position)).bytesRead;
  } catch (error) {
    if (errorCode(error) === 'EIO') return 0;
    throw error;
  }
}
