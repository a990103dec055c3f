import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import type { CommandBus } from '@nestjs/cqrs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ItemHandler } from '../../../src/modules/replication/follow/item-handler.js';
import type { ItemFailures } from '../../../src/modules/replication/follow/follow-records.js';
import type { StreamReader } from '../../../src/platform/eventsourcing/stream-reader.js';
import type { ServerIdentity } from '../../../src/ports/server-identity.port.js';
import { closeAll, peer, serve, transport } from '../../support/scripted-peer.js';
import { exampleFacts, exampleItem } from '../../support/wire-examples.js';

beforeEach(() => void vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined));
afterEach(async () => {
  vi.restoreAllMocks();
  await closeAll();
});

const MANIFEST_BYTES = 54 * 1024 * 1024;
const PIECE = Buffer.alloc(64 * 1024, 'A');
const MORE_THAN_EXPECTED = 'Server A: answered with more than was expected';

/** Writes as much of the answer as the other side takes, and says how much that was when the connection has ended. */
function writeEndlessly(socket: Socket, onEnd: (written: number) => void): void {
  const writeMore = (): void => {
    while (socket.writable && socket.bytesWritten < MANIFEST_BYTES) if (!socket.write(PIECE)) return;
    socket.end();
  };
  socket.on('drain', writeMore);
  socket.once('close', () => onEnd(socket.bytesWritten - socket.writableLength));
  writeMore();
}

const OPENING = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

it.each([
  ['that says how long it is', `${OPENING}Content-Length: ${MANIFEST_BYTES}\r\n\r\n`],
  ['that does not say how long it is', `${OPENING}Connection: close\r\n\r\n`],
])('twelve manifests of 54 MB for packages of one chunk are not read, with an answer %s', async (_, opening) => {
  const ended: Promise<number>[] = [];
  const url = await serve((socket) => {
    socket.write(opening);
    ended.push(new Promise((resolve) => writeEndlessly(socket, resolve)));
  });
  const items = new ItemHandler(
    { load: async () => ({ facts: null }) } as unknown as StreamReader,
    {} as unknown as CommandBus,
    transport(),
    { stage: exampleFacts.stage } as unknown as ServerIdentity,
    { note: async () => undefined, noteUsed: async () => undefined } as unknown as ItemFailures,
    { note: async () => undefined },
  );
  const item = items.readItem(peer(url), {
    ...exampleItem,
    facts: { ...exampleFacts, size: 1, chunkCount: 1 },
    digests: null,
  });
  if (!item) throw new Error('the item is valid');
  const handled = await Promise.allSettled(Array.from({ length: 12 }, () => items.handleItem(peer(url), item)));
  expect(handled.map((one) => (one.status === 'rejected' ? String(one.reason.message) : one.value))).toEqual(
    Array.from({ length: 12 }, () => MORE_THAN_EXPECTED),
  );
  expect(ended).toHaveLength(12);
  // What is written is more than what is read, because the buffers of the sockets take some megabytes.
  for (const written of await Promise.all(ended)) expect(written).toBeLessThan(MANIFEST_BYTES / 2);
});

it.each(['get', 'post', 'postTo'] as const)(
  'an answer to %s may have as many bytes as are expected',
  async (method) => {
    const body = JSON.stringify({ a: 'x'.repeat(92) });
    const url = await serve((socket) => socket.write(`${OPENING}Content-Length: 100\r\n\r\n${body}`));
    const call = (maxBytes: number) =>
      method === 'get'
        ? transport().get(peer(url), '/x', maxBytes)
        : transport()[method](peer(url), '/x', {}, maxBytes);
    await expect(call(100)).resolves.toEqual(JSON.parse(body));
    await expect(call(99)).rejects.toThrow(MORE_THAN_EXPECTED);
  },
);

it('an error is read no further than an answer', async () => {
  const url = await serve((socket) =>
    socket.write(`HTTP/1.1 500 No\r\nContent-Type: application/json\r\nContent-Length: 101\r\n\r\n${'x'.repeat(101)}`),
  );
  await expect(transport().get(peer(url), '/x', 100)).rejects.toThrow(MORE_THAN_EXPECTED);
});
