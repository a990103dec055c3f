import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderPackageStorage } from '../../../src/adapters/package-storage/folder/folder-package-storage.js';
import type { Json } from '../../../src/kernel/events.js';
import { ReplicaNews } from '../../../src/modules/replication/serve/replica-news.js';
import { StreamReader } from '../../../src/platform/eventsourcing/stream-reader.js';
import { StagedContent } from '../../../src/modules/replication/serve/staged-content.js';
import { Representation } from '../../../src/platform/http/files/representation.js';
import type { SubscribeOptions, SubscriptionItem } from '../../../src/ports/event-store.port.js';
import { CHUNK_SIZE } from '../../../src/kernel/chunk-ranges.js';
import type { ReplicaFile } from '../../../src/ports/package-storage.port.js';
import { MemoryEventStore } from '../../support/memory-event-store.js';

const SIZE = 3 * CHUNK_SIZE + 100;
const bytes = randomBytes(SIZE);

/** Gives no hints, as if they were all lost. */
class QuietLog extends MemoryEventStore {
  override async *subscribe(options?: SubscribeOptions): AsyncIterable<SubscriptionItem> {
    yield { kind: 'caughtUp', cursor: '0' };
    if (options && !options.signal.aborted) await once(options.signal, 'abort');
  }

  async note(type: string, data: Record<string, Json> = {}): Promise<void> {
    const actor = { kind: 'system', id: 's', name: 's' } as const;
    const metadata = { schemaVersion: 1, serverId: 'x', actor, address: null, correlationId: 'c', causationId: null };
    await this.append(
      'replica-p',
      [{ id: `${this.all.length}`, type, data: { packageId: 'p', ...data }, metadata }],
      'any',
    );
  }
}

let log: QuietLog;
let dataDir: string;
let storage: FolderPackageStorage;
let news: ReplicaNews;
let server: Server;
let replica: ReplicaFile;
let path: string;

beforeEach(async () => {
  log = new QuietLog();
  dataDir = await mkdtemp(join(tmpdir(), 'odst-staged-'));
  storage = await FolderPackageStorage.openFolder(dataDir);
  news = new ReplicaNews(log);
  const content = new StagedContent(new StreamReader(log), storage, news);
  const representation = new Representation(SIZE, 'aa', new Date(), 'application/octet-stream');
  server = createServer((request, response) => {
    const answered = content.sendRange(request, response, 'p', { representation, pace: null });
    answered.then(
      (sent) => sent || response.writeHead(404).end(),
      (error: { code?: string }) => response.writeHead(503).end(error.code),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await log.note('ReplicaRequested', { keepsChunks: false });
  replica = await storage.reserveReplica('p', SIZE);
  path = replica.localPath ?? '';
});
afterEach(async () => {
  await news.onModuleDestroy();
  server.closeAllConnections();
  server.close();
  await storage.close();
  await rm(dataDir, { recursive: true });
});

const verify = (first: number, count: number) => log.note('ChunksVerified', { first, count, fromPeerId: 'a' });

async function ask(from: number, to: number): Promise<Response> {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return fetch(`http://127.0.0.1:${address.port}/`, { headers: { range: `bytes=${from}-${to - 1}` } });
}

/** Reads so many bytes of an answer, however they come. */
function reader(response: Response): (count: number) => Promise<Buffer> {
  const source = response.body?.getReader();
  let rest = Buffer.alloc(0);
  return async (count) => {
    while (rest.length < count) {
      const { value, done } = (await source?.read()) ?? { done: true };
      if (done || !value) throw new Error('The answer ended');
      rest = Buffer.concat([rest, value]);
    }
    const taken = rest.subarray(0, count);
    rest = rest.subarray(count);
    return taken;
  };
}

describe('content of a package that is on its way here', () => {
  it('comes chunk by chunk as it is verified, also when the file is published meanwhile', async () => {
    await writeFile(path, bytes);
    await verify(1, 1);
    const response = await ask(CHUNK_SIZE, SIZE);
    expect([response.status, response.headers.get('content-range')]).toEqual([
      206,
      `bytes ${CHUNK_SIZE}-${SIZE - 1}/${SIZE}`,
    ]);
    const read = reader(response);
    expect((await read(CHUNK_SIZE)).equals(bytes.subarray(CHUNK_SIZE, 2 * CHUNK_SIZE))).toBe(true);
    const next = read(CHUNK_SIZE);
    await verify(2, 1);
    expect((await next).equals(bytes.subarray(2 * CHUNK_SIZE, 3 * CHUNK_SIZE))).toBe(true);
    await verify(3, 1);
    await verify(0, 1);
    await replica.publish();
    await log.note('ReplicaPublished');
    expect((await read(100)).equals(bytes.subarray(3 * CHUNK_SIZE))).toBe(true);
  });

  it('is refused with a code when its first chunk does not come', async () => {
    await verify(1, 1);
    const response = await ask(0, CHUNK_SIZE);
    expect([response.status, await response.text()]).toEqual([503, 'CHUNKS_PENDING']);
  });

  it.each(['ReplicaWithdrawn', 'ReplicaFailed', 'ReplicaRequested'])(
    'ends after %s: what follows is not what was verified',
    async (type) => {
      await writeFile(path, bytes);
      await verify(0, 1);
      const read = reader(await ask(0, SIZE));
      expect((await read(CHUNK_SIZE)).equals(bytes.subarray(0, CHUNK_SIZE))).toBe(true);
      await log.note(type, { keepsChunks: false });
      await expect(read(1)).rejects.toThrow(/terminated|ended/);
    },
  );

  it('is left to others when the package is published or not wanted, or several ranges are asked for', async () => {
    await verify(0, 4);
    await replica.publish();
    await log.note('ReplicaPublished');
    expect((await ask(0, 10)).status).toBe(404);
    await log.note('ReplicaWithdrawn');
    expect((await ask(0, 10)).status).toBe(404);
  });
});

it('a reserved file is opened as it is, and never made', async () => {
  const file = await storage.openReplica('p');
  expect(file?.size).toBe(SIZE);
  file?.close();
  expect(await storage.openReplica('other')).toBeNull();
  await storage.discardReplica('p');
  expect(await storage.openReplica('p')).toBeNull();
});
