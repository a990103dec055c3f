import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { TransportOptions } from '../../src/adapters/peer-transport/http/http-peer-transport.js';
import { CHUNK_SIZE, type ChunkRange } from '../../src/kernel/chunk-ranges.js';
import type { ReplicaFile } from '../../src/ports/package-storage.port.js';
import { closeAll, partialHead, peer, rangeOf, transport } from './scripted-peer.js';

/** Three chunks and a part of one. */
export const SIZE = 3 * CHUNK_SIZE + 12_345;
export const bytes = randomBytes(SIZE);
export const digests = Buffer.concat(
  Array.from({ length: 4 }, (_, i) =>
    createHash('sha256')
      .update(bytes.subarray(i * CHUNK_SIZE, (i + 1) * CHUNK_SIZE))
      .digest(),
  ),
);

let folder = '';
let path = '';

/** Gives each test of a file an empty file of the package's size to fetch into. */
export function stageEachTest(): void {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'odst-transport-'));
    path = join(folder, 'replica');
  });
  beforeEach(async () => {
    await writeFile(path, '');
    await truncate(path, SIZE);
  });
  afterEach(closeAll);
  afterAll(() => rm(folder, { recursive: true }));
}

/** What is in the file now. */
export const written = (): Promise<Buffer> => readFile(path);
export const removeStaged = (): Promise<void> => rm(path);

/** The file as a transport sees it that writes verified chunks itself. */
const localFile = (): ReplicaFile => {
  const unused = (): never => {
    throw new Error('not part of fetching');
  };
  return {
    packageId: 'p1',
    size: SIZE,
    localPath: path,
    writeVerified: unused,
    beginDigest: unused,
    findDamagedChunks: unused,
    publish: unused,
  };
};

export const request = (range: ChunkRange, signal = new AbortController().signal) => ({
  file: localFile(),
  range,
  sha256: digests.subarray(range.first * 32, (range.first + range.count) * 32),
  signal,
});

/** Fetches with a transport of its own. */
export const fetchRun = (
  url: string,
  run: ChunkRange = { first: 0, count: 4 },
  options: TransportOptions = {},
  signal?: AbortSignal,
) => transport(options).fetchChunks(peer(url), request(run, signal));

export const headFor = (head: string, extra = ''): string => partialHead(head, SIZE, extra);

/** Answers as a peer should. */
export function good(socket: Socket, head: string, content: Buffer = bytes, extra = ''): void {
  const [first, last] = rangeOf(head);
  socket.write(headFor(head, extra));
  socket.write(content.subarray(first, last + 1));
}

/** The package with one wrong bit in a chunk. */
export function damaged(index: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(index * CHUNK_SIZE + 7) ^ 1, index * CHUNK_SIZE + 7);
  return copy;
}
