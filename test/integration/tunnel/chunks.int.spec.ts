import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { CHUNK_SIZE } from '../../../src/kernel/chunk-ranges.js';
import { bytes, request, SIZE, stageEachTest, written } from '../../support/chunk-scene.js';
import { answering, startTunnels, type TunnelScene } from '../../support/tunnel-scene.js';

stageEachTest();

let scene: TunnelScene;
afterEach(() => scene.stop());

/** Answers as a peer should; `send` writes the body. */
function content({ headers }: IncomingMessage, response: ServerResponse, send: (body: Buffer) => void): void {
  const [, first = '', last = ''] = /bytes=(\d+)-(\d+)/.exec(headers.range ?? '') ?? [];
  const body = bytes.subarray(Number(first), Number(last) + 1);
  response.writeHead(206, { 'content-range': `bytes ${first}-${last}/${SIZE}`, 'content-length': body.length });
  send(body);
}

describe('chunks through a tunnel', () => {
  it('are fetched, verified and written as from the peer’s own address', async () => {
    scene = await startTunnels(answering((asked, response) => content(asked, response, (body) => response.end(body))));
    const result = await scene.transport.fetchChunks(scene.hidden, request({ first: 0, count: 4 }));
    expect(result).toEqual({ verified: [{ first: 0, count: 4 }], rejected: [], error: null });
    expect((await written()).equals(bytes)).toBe(true);
  });

  it('that come several at once do not get mixed up', async () => {
    scene = await startTunnels(answering((asked, response) => content(asked, response, (body) => response.end(body))));
    const runs = Array.from({ length: 40 }, (_, i) => ({ first: i % 4, count: 1 }));
    const results = await Promise.all(runs.map((run) => scene.transport.fetchChunks(scene.hidden, request(run))));
    expect(results).toEqual(runs.map((run) => ({ verified: [run], rejected: [], error: null })));
    expect((await written()).equals(bytes)).toBe(true);
  });

  it('that came before the tunnel broke are kept; the rest comes through another', async () => {
    let times = 0;
    scene = await startTunnels(
      answering((asked, response) =>
        content(asked, response, (body) => {
          if (times++ > 0) return void response.end(body);
          response.write(body.subarray(0, 2 * CHUNK_SIZE + 1000), () => {
            for (const socket of scene.sockets) socket.resetAndDestroy();
          });
        }),
      ),
    );
    const broken = await scene.transport.fetchChunks(scene.hidden, request({ first: 0, count: 4 }));
    expect(broken.error?.message).toMatch(/Server A: the connection was/);
    const first = broken.verified[0]?.count ?? 0;
    const rest = { first, count: 4 - first };
    expect(await scene.transport.fetchChunks(scene.hidden, request(rest))).toMatchObject({
      verified: [rest],
      error: null,
    });
    expect((await written()).equals(bytes)).toBe(true);
  });

  it('are not waited for after their run was aborted', async () => {
    const abort = new AbortController();
    scene = await startTunnels(
      answering((asked, response) =>
        content(asked, response, (body) => {
          response.write(body.subarray(0, 1000), () => abort.abort());
        }),
      ),
    );
    const result = await scene.transport.fetchChunks(scene.hidden, request({ first: 0, count: 4 }, abort.signal));
    expect(result).toMatchObject({ verified: [], error: { message: 'Server A: stopped' } });
  });
});
