import { describe, expect, it } from 'vitest';
import { CHUNK_SIZE } from '../../../src/kernel/chunk-ranges.js';
import { PeerUnreachable } from '../../../src/ports/peer-transport.port.js';
import { SIZE, bytes, fetchRun, headFor, stageEachTest } from '../../support/chunk-scene.js';
import { closeAll, serve } from '../../support/scripted-peer.js';

stageEachTest();

describe('faults of the peer', () => {
  const json = '{"code":"PACKAGE_NOT_FOUND","message":"gone"}';
  const answers: [string, string, RegExp][] = [
    ['500', 'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n', /answered 500$/],
    [
      '404 with a code',
      `HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`,
      /answered 404 PACKAGE_NOT_FOUND$/,
    ],
    [
      'HTML',
      'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>',
      /answered 200 with text\/html/,
    ],
    ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n', /answered 302/],
    [
      'another range',
      `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1-${SIZE - 1}/${SIZE}\r\nContent-Length: ${SIZE - 1}\r\n\r\n`,
      /another range/,
    ],
    [
      'another length',
      `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-${SIZE - 1}/${SIZE}\r\nContent-Length: 7\r\n\r\n`,
      /another Content-Length/,
    ],
    [
      'a chunked body',
      `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-${SIZE - 1}/${SIZE}\r\nContent-Length: ${SIZE}\r\nTransfer-Encoding: chunked\r\n\r\n`,
      /Transfer-Encoding/,
    ],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n\r\n', /did not answer with HTTP/],
    [
      'an oversized head',
      `HTTP/1.1 206 Partial Content\r\n${'X-Long: 0123456789\r\n'.repeat(2_000)}`,
      /oversized head/,
    ],
    ['an endless header', `HTTP/1.1 206 Partial Content\r\nX: ${'y'.repeat(40_000)}`, /oversized head/],
  ];

  it.each(answers)('%s', async (_, answer, message) => {
    const result = await fetchRun(await serve((socket) => socket.write(answer)));
    expect(result.verified).toEqual([]);
    expect(result.error).toBeInstanceOf(PeerUnreachable);
    expect(result.error?.message).toMatch(message);
  });

  it('tells status and code apart', async () => {
    const result = await fetchRun(await serve((socket) => socket.write(answers[1]?.[1] ?? '')));
    expect(result.error).toMatchObject({ status: 404, code: 'PACKAGE_NOT_FOUND' });
  });

  it('a reset connection', async () => {
    const url = await serve((socket, head) => {
      socket.write(headFor(head));
      socket.write(bytes.subarray(0, 1000), () => socket.resetAndDestroy());
    });
    expect((await fetchRun(url)).error?.message).toMatch(/the connection was (reset|closed)/);
  });

  it('a stall, after what came before it', async () => {
    const url = await serve((socket, head) => {
      socket.write(headFor(head));
      socket.write(bytes.subarray(0, CHUNK_SIZE + 10));
    });
    const result = await fetchRun(url, { first: 0, count: 4 }, { timeouts: { idleMs: 200 } });
    expect(result.verified).toEqual([{ first: 0, count: 1 }]);
    expect(result.error?.message).toBe('Server A: sent nothing for 0.2 seconds');
  });

  it('bytes that trickle for ever', async () => {
    const url = await serve((socket, head) => {
      socket.write(headFor(head));
      const timer = setInterval(() => socket.write(bytes.subarray(0, 1)), 20);
      socket.on('close', () => clearInterval(timer));
    });
    const result = await fetchRun(url, { first: 0, count: 4 }, { timeouts: { rangeMs: 300 } });
    expect(result.error?.message).toMatch(/took longer than 0.3 seconds/);
  });

  it('nobody listens', async () => {
    const url = await serve(() => undefined);
    await closeAll();
    expect((await fetchRun(url)).error?.message).toMatch(/^Server A: connection refused/);
  });

  it('TLS where there is none', async () => {
    const url = await serve((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const result = await fetchRun(url.replace('http:', 'https:'), undefined, { timeouts: { connectMs: 300 } });
    expect(result.error?.message).toBe('Server A: timed out while connecting');
  });
});
