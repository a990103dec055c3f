import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TransportOptions } from '../../src/adapters/peer-transport/http/http-peer-transport.js';
import type { Run } from '../../src/kernel/runs.js';
import { CHUNK_SIZE } from '../../src/ports/package-storage.port.js';
import { PeerUnreachable } from '../../src/ports/peer-transport.port.js';
import { closeAll, partialHead, peer, pem, rangeOf, serve, transport } from '../support/scripted-peer.js';

const SIZE = 3 * CHUNK_SIZE + 12_345;
const bytes = randomBytes(SIZE);
const digests = Buffer.concat(
  Array.from({ length: 4 }, (_, i) =>
    createHash('sha256').update(bytes.subarray(i * CHUNK_SIZE, (i + 1) * CHUNK_SIZE)).digest(),
  ),
);

let folder = '';
let path = '';

const fetchRun = (url: string, run: Run = { first: 0, count: 4 }, options: TransportOptions = {}, signal?: AbortSignal) =>
  transport(options).fetchChunks(peer(url), request(run, signal));

const request = (run: Run, signal = new AbortController().signal) => ({
  packageId: 'p1',
  packageSize: SIZE,
  run,
  sha256: digests.subarray(run.first * 32, (run.first + run.count) * 32),
  path,
  signal,
});

const headFor = (head: string, extra = ''): string => partialHead(head, SIZE, extra);

function good(socket: Socket, head: string, content: Buffer = bytes, extra = ''): void {
  const [first, last] = rangeOf(head);
  socket.write(headFor(head, extra));
  socket.write(content.subarray(first, last + 1));
}

function damaged(index: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(index * CHUNK_SIZE + 7) ^ 1, index * CHUNK_SIZE + 7);
  return copy;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'odst-transport-'));
});
afterAll(() => rm(folder, { recursive: true }));

afterEach(closeAll);

async function freshFile(): Promise<void> {
  path = join(folder, 'replica');
  await writeFile(path, '');
  await truncate(path, SIZE);
}

describe('fetching chunks', () => {
  it('verifies and writes each chunk at its place', async () => {
    await freshFile();
    const result = await fetchRun(await serve((socket, head) => good(socket, head)));
    expect(result).toEqual({ verified: [{ first: 0, count: 4 }], rejected: [], error: null });
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  it('asks for the bytes of the run alone, signed for this peer', async () => {
    await freshFile();
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
    const written = await readFile(path);
    expect(written.subarray(CHUNK_SIZE, 3 * CHUNK_SIZE).equals(bytes.subarray(CHUNK_SIZE, 3 * CHUNK_SIZE))).toBe(true);
    expect(written.subarray(0, CHUNK_SIZE).every((byte) => byte === 0)).toBe(true);
  });

  it('reports a damaged chunk, does not write it, and goes on with the rest', async () => {
    await freshFile();
    const result = await fetchRun(await serve((socket, head) => good(socket, head, damaged(1))));
    expect(result.verified).toEqual([{ first: 0, count: 1 }, { first: 2, count: 2 }]);
    expect(result.rejected).toEqual([
      {
        index: 1,
        expected: digests.toString('hex', 32, 64),
        actual: createHash('sha256').update(damaged(1).subarray(CHUNK_SIZE, 2 * CHUNK_SIZE)).digest('hex'),
      },
    ]);
    expect((await readFile(path)).subarray(CHUNK_SIZE, 2 * CHUNK_SIZE).every((byte) => byte === 0)).toBe(true);
  });

  it('keeps what was verified before the connection broke', async () => {
    await freshFile();
    const url = await serve((socket, head) => {
      socket.write(headFor(head));
      socket.end(bytes.subarray(0, 2 * CHUNK_SIZE + 500));
    });
    const result = await fetchRun(url);
    expect(result.verified).toEqual([{ first: 0, count: 2 }]);
    expect(result.error?.message).toBe('Server A: the connection was closed in the middle');
  });

  it('is right whatever the pieces the bytes come in', async () => {
    await freshFile();
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
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  it('uses a connection again, and a fresh one with a fresh signature when it went stale', async () => {
    await freshFile();
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
    await freshFile();
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

describe('faults of the peer', () => {
  const json = '{"code":"PACKAGE_NOT_FOUND","message":"gone"}';
  const answers: [string, string, RegExp][] = [
    ['500', 'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n', /answered 500$/],
    [
      '404 with a code',
      `HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`,
      /answered 404 PACKAGE_NOT_FOUND$/,
    ],
    ['HTML', 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>', /answered 200 with text\/html/],
    ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n', /answered 302/],
    ['another range', `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1-${SIZE - 1}/${SIZE}\r\nContent-Length: ${SIZE - 1}\r\n\r\n`, /another range/],
    ['another length', `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-${SIZE - 1}/${SIZE}\r\nContent-Length: 7\r\n\r\n`, /another Content-Length/],
    ['a chunked body', `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-${SIZE - 1}/${SIZE}\r\nContent-Length: ${SIZE}\r\nTransfer-Encoding: chunked\r\n\r\n`, /Transfer-Encoding/],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n\r\n', /did not answer with HTTP/],
    ['an oversized head', `HTTP/1.1 206 Partial Content\r\n${'X-Long: 0123456789\r\n'.repeat(2_000)}`, /oversized head/],
    ['an endless header', `HTTP/1.1 206 Partial Content\r\nX: ${'y'.repeat(40_000)}`, /oversized head/],
  ];

  it.each(answers)('%s', async (_, answer, message) => {
    await freshFile();
    const result = await fetchRun(await serve((socket) => socket.write(answer)));
    expect(result.verified).toEqual([]);
    expect(result.error).toBeInstanceOf(PeerUnreachable);
    expect(result.error?.message).toMatch(message);
  });

  it('tells status and code apart', async () => {
    await freshFile();
    const result = await fetchRun(await serve((socket) => socket.write(answers[1]?.[1] ?? '')));
    expect(result.error).toMatchObject({ status: 404, code: 'PACKAGE_NOT_FOUND' });
  });

  it('a reset connection', async () => {
    await freshFile();
    const url = await serve((socket, head) => {
      socket.write(headFor(head));
      socket.write(bytes.subarray(0, 1000), () => socket.resetAndDestroy());
    });
    expect((await fetchRun(url)).error?.message).toMatch(/the connection was (reset|closed)/);
  });

  it('a stall, after what came before it', async () => {
    await freshFile();
    const url = await serve((socket, head) => {
      socket.write(headFor(head));
      socket.write(bytes.subarray(0, CHUNK_SIZE + 10));
    });
    const result = await fetchRun(url, { first: 0, count: 4 }, { timeouts: { idleMs: 200 } });
    expect(result.verified).toEqual([{ first: 0, count: 1 }]);
    expect(result.error?.message).toBe('Server A: sent nothing for 0.2 seconds');
  });

  it('bytes that trickle for ever', async () => {
    await freshFile();
    const url = await serve((socket, head) => {
      socket.write(headFor(head));
      const timer = setInterval(() => socket.write(bytes.subarray(0, 1)), 20);
      socket.on('close', () => clearInterval(timer));
    });
    const result = await fetchRun(url, { first: 0, count: 4 }, { timeouts: { runMs: 300 } });
    expect(result.error?.message).toMatch(/took longer than 0.3 seconds/);
  });

  it('nobody listens', async () => {
    await freshFile();
    const url = await serve(() => undefined);
    await closeAll();
    expect((await fetchRun(url)).error?.message).toMatch(/^Server A: connection refused/);
  });

  it('TLS where there is none', async () => {
    await freshFile();
    const url = await serve((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const result = await fetchRun(url.replace('http:', 'https:'), undefined, { timeouts: { connectMs: 300 } });
    expect(result.error?.message).toBe('Server A: timed out while connecting');
  });
});

describe('over TLS', () => {
  it('is as right, with a certificate that is trusted', async () => {
    await freshFile();
    const [cert, key] = [await pem('crt'), await pem('key')];
    const client = transport({ ca: cert });
    const sockets: Socket[] = [];
    const url = await serve(
      (socket, head) => {
        sockets.push(socket);
        good(socket, head);
      },
      { cert, key },
    );
    for (let i = 0; i < 2; i++) {
      const result = await client.fetchChunks(peer(url), request({ first: 0, count: 4 }));
      expect(result).toEqual({ verified: [{ first: 0, count: 4 }], rejected: [], error: null });
    }
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect(sockets[1]).toBe(sockets[0]);
  });

  it('fetches nothing from a server whose certificate is not trusted', async () => {
    await freshFile();
    const heads: string[] = [];
    const url = await serve((_socket, head) => heads.push(head), { cert: await pem('crt'), key: await pem('key') });
    const result = await fetchRun(url);
    expect(result.verified).toEqual([]);
    expect(result.error?.message).toMatch(/its TLS certificate/);
    await expect(transport().get(peer(url), '/x')).rejects.toThrow(/its TLS certificate/);
    expect(heads).toEqual([]);
  });
});

describe('our own side', () => {
  it('stops when told to', async () => {
    await freshFile();
    const stop = new AbortController();
    const url = await serve((socket, head) => {
      socket.write(headFor(head));
      socket.write(bytes.subarray(0, 10), () => stop.abort());
    });
    expect((await fetchRun(url, { first: 0, count: 4 }, {}, stop.signal)).error?.message).toBe('Server A: stopped');
  });

  it('throws when the file is gone: that is not the peer', async () => {
    path = join(folder, 'nowhere');
    await expect(fetchRun(await serve((socket, head) => good(socket, head)))).rejects.toThrow(/ENOENT/);
  });
});
