import { afterEach, describe, expect, it } from 'vitest';
import type { TransportOptions } from '../../../src/adapters/peer-transport/http/http-peer-transport.js';
import { PeerUnreachable, type FeedMessage } from '../../../src/ports/peer-transport.port.js';
import { closeAll, peer, serve, transport, type Answer } from '../../support/scripted-peer.js';

afterEach(closeAll);

describe('JSON calls', () => {
  const reply = (status: string, type: string, body: string) =>
    `HTTP/1.1 ${status}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

  it('gives the parsed answer', async () => {
    const url = await serve((socket) => socket.write(reply('200 OK', 'application/json', '{"a":1}')));
    await expect(transport().get(peer(url), '/peer/v1/x?y=z', 7)).resolves.toEqual({ a: 1 });
  });

  it.each([
    ['answered 500', reply('500 Oops', 'text/html', '<html>')],
    ['answered 401 PEER_CLOCK_OFF', reply('401 No', 'application/json', '{"code":"PEER_CLOCK_OFF"}')],
    ['answered 200 without JSON; is this the right address?', reply('200 OK', 'text/html', '<html>')],
    ['answered 200 without JSON; is this the right address?', reply('200 OK', 'text/secret', '{}')],
    ['answered 200 with broken JSON', reply('200 OK', 'application/json', '{"a":')],
    ['answered 302', 'HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n'],
  ])('refuses: %s', async (message, answer) => {
    const url = await serve((socket) => socket.write(answer));
    await expect(transport().get(peer(url), '/x', 100)).rejects.toThrow(`Server A: ${message}`);
  });
});

describe('the feed', () => {
  const opening = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n';

  async function follow(
    answer: Answer,
    options: TransportOptions = {},
  ): Promise<{ got: FeedMessage[]; error: unknown }> {
    const got: FeedMessage[] = [];
    try {
      const url = await serve(answer);
      for await (const message of transport(options).followFeed(peer(url), 'e.7', new AbortController().signal))
        got.push(message);
      return { got, error: null };
    } catch (error) {
      return { got, error };
    }
  }

  it('gives items with their ids, whatever the line ends and pieces, and throws at the end', async () => {
    const heads: string[] = [];
    const { got, error } = await follow((socket, head) => {
      heads.push(head);
      socket.write(`${opening}:hello\n\nid: e.8\r`);
      socket.write('\ndata: {"a":\ndata: 1}\n\n');
      socket.end('id:e.9\rdata:2\r\r\n');
    });
    expect(heads[0]).toContain('last-event-id: e.7');
    expect(got).toEqual([
      { kind: 'connected' },
      { kind: 'item', id: 'e.8', data: { a: 1 } },
      { kind: 'item', id: 'e.9', data: 2 },
    ]);
    expect(error).toBeInstanceOf(PeerUnreachable);
  });

  it('gives out a message that is not JSON as nothing, and then those after it', async () => {
    const { got } = await follow((socket) => socket.end(`${opening}id: e.1\ndata: {nope\n\nid: e.2\ndata: 2\n\n`));
    expect(got).toEqual([
      { kind: 'connected' },
      { kind: 'item', id: 'e.1', data: undefined },
      { kind: 'item', id: 'e.2', data: 2 },
    ]);
  });

  it.each<[string, string, RegExp]>([
    ['an endless line', `${opening}data: ${'x'.repeat(1_100_000)}`, /garbage/],
    [
      'HTML',
      'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>',
      /without an event stream/,
    ],
    [
      'a refusal',
      'HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n{"code":"PEER_KEY_UNKNOWN"}',
      /answered 401 PEER_KEY_UNKNOWN/,
    ],
  ])('throws on %s', async (_, answer, message) => {
    const { error } = await follow((socket) => socket.write(answer));
    expect(error).toBeInstanceOf(PeerUnreachable);
    expect(String(error)).toMatch(message);
  });

  it('takes a long silence for a dead connection', async () => {
    const { got, error } = await follow((socket) => socket.write(opening), { feedIdleTimeoutMs: 1_000 });
    expect(got).toEqual([{ kind: 'connected' }]);
    expect(String(error)).toMatch(/timed out/);
  });
});
