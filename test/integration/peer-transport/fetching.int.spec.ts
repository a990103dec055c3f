import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { CHUNK_SIZE } from '../../../src/kernel/chunk-ranges.js';
import {
  bytes,
  damaged,
  digests,
  fetchRun,
  good,
  headFor,
  removeStaged,
  request,
  stageEachTest,
  written,
} from '../../support/chunk-scene.js';
import { peer, serve, transport } from '../../support/scripted-peer.js';

stageEachTest();

describe('fetching chunks', () => {
  it('verifies and writes each chunk at its place', async () => {
    const result = await fetchRun(await serve((socket, head) => good(socket, head)));
    expect(result).toEqual({ verified: [{ first: 0, count: 4 }], rejected: [], error: null });
    expect((await written()).equals(bytes)).toBe(true);
  });

  it('asks for the bytes of the run alone, signed for this peer', async () => {
    const heads: string[] = [];
    const url = await serve((socket, head) => {
      heads.push(head);
      good(socket, head);
    });
    await fetchRun(`${url}/base`, { first: 1, count: 2 });
    expect(heads[0]).toMatch(/^GET \/base\/peer\/v1\/packages\/p1\/content HTTP\/1\.1\r\n/);
    expect(heads[0]).toContain(`host: ${url.slice(7)}\r\n`);
    expect(heads[0]).toContain(`range: bytes=${CHUNK_SIZE}-${3 * CHUNK_SIZE - 1}`);
    expect(heads[0]).toContain('odst-recipient: a');
    const file = await written();
    expect(file.subarray(CHUNK_SIZE, 3 * CHUNK_SIZE).equals(bytes.subarray(CHUNK_SIZE, 3 * CHUNK_SIZE))).toBe(true);
    expect(file.subarray(0, CHUNK_SIZE).every((byte) => byte === 0)).toBe(true);
  });

  it('reports a damaged chunk, does not write it, and goes on with the rest', async () => {
    const result = await fetchRun(await serve((socket, head) => good(socket, head, damaged(1))));
    expect(result.verified).toEqual([
      { first: 0, count: 1 },
      { first: 2, count: 2 },
    ]);
    expect(result.rejected).toEqual([
      {
        index: 1,
        expected: digests.toString('hex', 32, 64),
        actual: createHash('sha256')
          .update(damaged(1).subarray(CHUNK_SIZE, 2 * CHUNK_SIZE))
          .digest('hex'),
      },
    ]);
    expect((await written()).subarray(CHUNK_SIZE, 2 * CHUNK_SIZE).every((byte) => byte === 0)).toBe(true);
  });

  it('keeps what was verified before the connection broke', async () => {
    const url = await serve((socket, head) => {
      socket.write(headFor(head));
      socket.end(bytes.subarray(0, 2 * CHUNK_SIZE + 500));
    });
    const result = await fetchRun(url);
    expect(result.verified).toEqual([{ first: 0, count: 2 }]);
    expect(result.error?.message).toBe('Server A: the connection was closed in the middle');
  });

  it('is right whatever the pieces the bytes come in', async () => {
    const url = await serve((socket, head) => {
      const whole = Buffer.concat([Buffer.from(headFor(head)), bytes]);
      const send = (from: number) => {
        if (from >= whole.length) return;
        const to = from < 400 ? from + 1 : from + 777_777;
        socket.write(whole.subarray(from, to), () => send(to));
      };
      socket.setNoDelay(true);
      send(0);
    });
    expect((await fetchRun(url)).verified).toEqual([{ first: 0, count: 4 }]);
    expect((await written()).equals(bytes)).toBe(true);
  });

  it('uses a connection again, and a fresh one with a fresh signature when it went stale', async () => {
    const seen: { socket: Socket; signature: string | undefined }[] = [];
    const url = await serve((socket, head, nth) => {
      seen.push({ socket, signature: /signature: (\S+)/.exec(head)?.[1] });
      if (nth === 2) socket.destroy();
      else good(socket, head);
    });
    const client = transport();
    for (let i = 0; i < 3; i++) {
      const result = await client.fetchChunks(peer(url), request({ first: 0, count: 4 }));
      expect(result.error).toBeNull();
    }
    expect(seen).toHaveLength(4);
    expect(seen[1]?.socket).toBe(seen[0]?.socket);
    expect(seen[3]?.socket).not.toBe(seen[2]?.socket);
    expect(seen[3]?.signature).not.toBe(seen[2]?.signature);
  });

  it('does not use a connection again that the peer will close', async () => {
    const sockets: Socket[] = [];
    const url = await serve((socket, head) => {
      sockets.push(socket);
      good(socket, head, bytes, 'Connection: close\r\n');
    });
    const client = transport();
    for (let i = 0; i < 2; i++) await client.fetchChunks(peer(url), request({ first: 0, count: 4 }));
    expect(sockets[1]).not.toBe(sockets[0]);
  });
});

describe('our own side', () => {
  it('stops when told to', async () => {
    const stop = new AbortController();
    const url = await serve((socket, head) => {
      socket.write(headFor(head));
      socket.write(bytes.subarray(0, 10), () => stop.abort());
    });
    expect((await fetchRun(url, { first: 0, count: 4 }, {}, stop.signal)).error?.message).toBe('Server A: stopped');
  });

  it('throws when the file is gone: that is not the peer', async () => {
    await removeStaged();
    await expect(fetchRun(await serve((socket, head) => good(socket, head)))).rejects.toThrow(/ENOENT/);
  });
});
