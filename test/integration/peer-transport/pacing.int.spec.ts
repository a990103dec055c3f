import { describe, expect, it } from 'vitest';
import { OPEN_POLICY } from '../../../src/kernel/transfer-policy.js';
import { CHUNK_SIZE } from '../../../src/kernel/chunk-ranges.js';
import { bytes, good, headFor, request, SIZE, stageEachTest, written } from '../../support/chunk-scene.js';
import { peer, pem, serve, transport } from '../../support/scripted-peer.js';

stageEachTest();

const MIB = 1024 * 1024;
const limitedPeer = (url: string, bytesPerSecond: number) => ({
  ...peer(url),
  policy: { ...OPEN_POLICY, receive: { bytesPerSecond, windows: [] } },
});
const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const since = performance.now();
  await work();
  return (performance.now() - since) / 1000;
};

describe('a limit on what is received', () => {
  it('holds for all runs from a peer together, and every byte is right', async () => {
    const url = await serve((socket, head) => good(socket, head));
    const client = transport();
    const fetch = (first: number, count: number) =>
      client.fetchChunks(limitedPeer(url, 2 * MIB), request({ first, count }));
    const took = await seconds(async () => {
      const results = await Promise.all([fetch(0, 1), fetch(1, 1), fetch(2, 2)]);
      expect(results.map(({ error }) => error)).toEqual([null, null, null]);
    });
    // What was saved up before the first byte is a quarter of a second.
    expect(took).toBeGreaterThan(SIZE / (2 * MIB) - 0.3);
    expect((await written()).equals(bytes)).toBe(true);
  });

  it('holds over TLS as well', async () => {
    const [cert, key] = [await pem('crt'), await pem('key')];
    const url = await serve((socket, head) => good(socket, head), { cert, key });
    const took = await seconds(async () => {
      const result = await transport({ ca: cert }).fetchChunks(
        limitedPeer(url, 2 * MIB),
        request({ first: 0, count: 4 }),
      );
      expect(result.error).toBeNull();
    });
    expect(took).toBeGreaterThan(SIZE / (2 * MIB) - 0.3);
    expect((await written()).equals(bytes)).toBe(true);
  });

  it('lets a run be slower than the time-outs for silence and for a run', async () => {
    const url = await serve((socket, head) => good(socket, head));
    const client = transport({ timeouts: { idleMs: 400, rangeMs: 600 } });
    const from = limitedPeer(url, MIB / 2);
    const results = await Promise.all([0, 1, 2].map((first) => client.fetchChunks(from, request({ first, count: 1 }))));
    expect(results.map(({ error }) => error)).toEqual([null, null, null]);
  });

  it('does not cover up a peer that falls silent', async () => {
    const url = await serve((socket, head) => {
      socket.write(headFor(head));
      socket.write(bytes.subarray(0, 40_000));
    });
    const client = transport({ timeouts: { idleMs: 300 } });
    const result = await client.fetchChunks(limitedPeer(url, 64 * 1024), request({ first: 0, count: 1 }));
    expect(result.error?.message).toBe('Server A: sent nothing for 0.3 seconds');
  });

  it('ends with a stop in the middle, and holds no other peer up', async () => {
    const url = await serve((socket, head) => good(socket, head));
    const client = transport();
    const stop = new AbortController();
    const slow = client.fetchChunks(limitedPeer(url, 16 * 1024), request({ first: 0, count: 1 }, stop.signal));
    const other = await client.fetchChunks({ ...peer(url), peerId: 'b' }, request({ first: 1, count: 3 }));
    expect(other.error).toBeNull();
    stop.abort();
    expect((await slow).error?.message).toBe('Server A: stopped');
  });
});

describe('a peer that sends slowly on purpose', () => {
  const trickle = (extra: string) => (socket: Parameters<typeof good>[0], head: string) => {
    socket.write(headFor(head, extra));
    let at = 0;
    const timer = setInterval(() => {
      socket.write(bytes.subarray(at, (at += CHUNK_SIZE / 16)));
      if (at >= CHUNK_SIZE) clearInterval(timer);
    }, 50);
    socket.once('close', () => clearInterval(timer));
  };
  const fetch = async (extra: string) =>
    transport({ timeouts: { rangeMs: 200 } }).fetchChunks(
      peer(await serve(trickle(extra))),
      request({ first: 0, count: 1 }),
    );

  it('is waited for when it says how fast it sends, and only then', async () => {
    expect((await fetch(`ODST-Bytes-Per-Second: ${MIB}\r\n`)).error).toBeNull();
    expect((await fetch('')).error?.message).toMatch(/took longer than/);
  });
});

it('tells when a peer is to be asked again', async () => {
  const body = '{"code":"OUTSIDE_WINDOW","message":"…"}';
  const head = `HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 90\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  const url = await serve((socket) => void socket.write(head + body));
  const { error } = await transport().fetchChunks(peer(url), request({ first: 0, count: 1 }));
  expect(error).toMatchObject({ status: 503, code: 'OUTSIDE_WINDOW', retryAfterSeconds: 90 });
});
