import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { addRun, type Run } from '../../../../kernel/runs.js';
import { CHUNK_SIZE } from '../../../../ports/package-storage.port.js';

const DIGEST_BYTES = 32;

/** Runs of the chunks of a file whose SHA-256 is not the given one (32 bytes a chunk, end to end). One pass, in order. */
export async function damagedChunks(path: string, sha256: Uint8Array): Promise<Run[]> {
  const file = await open(path, 'r');
  try {
    let damaged: Run[] = [];
    const buffer = Buffer.allocUnsafeSlow(CHUNK_SIZE);
    for (let index = 0; index * DIGEST_BYTES < sha256.length; index++) {
      const expected = sha256.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
      const chunk = await readChunk(file, index, buffer);
      if (!createHash('sha256').update(chunk).digest().equals(expected)) damaged = addRun(damaged, { first: index, count: 1 });
    }
    return damaged;
  } finally {
    await file.close();
  }
}

/** Shorter where the file ends. */
async function readChunk(file: FileHandle, index: number, into: Buffer): Promise<Buffer> {
  let filled = 0;
  while (filled < into.length) {
    const { bytesRead } = await file.read(into, filled, into.length - filled, index * CHUNK_SIZE + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return into.subarray(0, filled);
}
