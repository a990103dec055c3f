import { expect, it } from 'vitest';
import { CHUNK_SIZE } from '../../../src/kernel/chunk-ranges.js';
import { type ReplicaFile, StorageFull } from '../../../src/ports/package-storage.port.js';
import type { RangeProgress } from '../../../src/ports/peer-transport.port.js';
import { readBytes } from '../../contract/package-storage.contract.js';
import { bytes, damaged, good, headFor, request, SIZE, stageEachTest } from '../../support/chunk-scene.js';
import { MemoryPackageStorage } from '../../support/memory-package-storage.js';
import { peer, serve, transport } from '../../support/scripted-peer.js';

stageEachTest();

const ALL = { first: 0, count: 4 };
const storage = () => new MemoryPackageStorage();

async function replicaBytes(from: MemoryPackageStorage): Promise<Buffer> {
  const file = await from.openReplica('p1');
  return file ? readBytes(file) : Buffer.alloc(0);
}

it('hands verified chunks to a storage that has no files', async () => {
  const memory = storage();
  const file = await memory.reserveReplica('p1', SIZE);
  const url = await serve((socket, head) => good(socket, head));
  const result = await transport().fetchChunks(peer(url), { ...request(ALL), file });
  expect(result).toEqual({ verified: [ALL], rejected: [], error: null });
  expect((await replicaBytes(memory)).equals(bytes)).toBe(true);
});

it('never hands over a chunk whose digest did not match', async () => {
  const memory = storage();
  const file = await memory.reserveReplica('p1', SIZE);
  const url = await serve((socket, head) => good(socket, head, damaged(1)));
  const result = await transport().fetchChunks(peer(url), { ...request(ALL), file });
  expect(result.verified).toEqual([
    { first: 0, count: 1 },
    { first: 2, count: 2 },
  ]);
  expect(result.rejected).toMatchObject([{ index: 1 }]);
  const written = await replicaBytes(memory);
  expect(written.subarray(CHUNK_SIZE, 2 * CHUNK_SIZE).every((byte) => byte === 0)).toBe(true);
});

it('counts a chunk only when the storage has written it', async () => {
  const memory = storage();
  const real = await memory.reserveReplica('p1', SIZE);
  let letWrite: () => void = () => undefined;
  const mayWrite = new Promise<void>((resolve) => (letWrite = resolve));
  const file: ReplicaFile = {
    ...real,
    packageId: 'p1',
    size: SIZE,
    localPath: null,
    writeVerified: (chunk, part) => mayWrite.then(() => real.writeVerified(chunk, part)),
  };
  const url = await serve((socket, head) => {
    socket.write(headFor(head));
    socket.write(bytes.subarray(0, 2 * CHUNK_SIZE));
    // The rest comes when the transport has told twice that nothing is verified yet.
    const told = setInterval(() => {
      if (seen.filter(({ received }) => received === 2 * CHUNK_SIZE).length < 2) return;
      clearInterval(told);
      letWrite();
      socket.write(bytes.subarray(2 * CHUNK_SIZE));
    }, 10);
  });
  const seen: RangeProgress[] = [];
  const onProgress = (progress: RangeProgress): void => void seen.push(progress);
  const result = await transport().fetchChunks(peer(url), { ...request(ALL), file, onProgress });
  const early = seen.filter(({ received }) => received === 2 * CHUNK_SIZE).slice(0, 2);
  expect(early.map(({ verified }) => verified)).toEqual([[], []]);
  expect(result).toEqual({ verified: [ALL], rejected: [], error: null });
});

it('tells that the storage is full', async () => {
  const file: ReplicaFile = {
    ...(await storage().reserveReplica('p1', SIZE)),
    packageId: 'p1',
    size: SIZE,
    localPath: null,
    writeVerified: () => Promise.reject(new StorageFull(null)),
  };
  const url = await serve((socket, head) => good(socket, head));
  await expect(transport().fetchChunks(peer(url), { ...request(ALL), file })).rejects.toBeInstanceOf(StorageFull);
});
