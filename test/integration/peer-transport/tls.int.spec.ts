import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { bytes, fetchRun, good, request, stageEachTest, written } from '../../support/chunk-scene.js';
import { peer, pem, serve, transport } from '../../support/scripted-peer.js';

stageEachTest();

describe('over TLS', () => {
  it('is as right, with a certificate that is trusted', async () => {
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
    expect((await written()).equals(bytes)).toBe(true);
    expect(sockets[1]).toBe(sockets[0]);
  });

  it('fetches nothing from a server whose certificate is not trusted', async () => {
    const heads: string[] = [];
    const url = await serve((_socket, head) => heads.push(head), { cert: await pem('crt'), key: await pem('key') });
    const result = await fetchRun(url);
    expect(result.verified).toEqual([]);
    expect(result.error?.message).toMatch(/its TLS certificate/);
    await expect(transport().get(peer(url), '/x', 100)).rejects.toThrow(/its TLS certificate/);
    expect(heads).toEqual([]);
  });
});
