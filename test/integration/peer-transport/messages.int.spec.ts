import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { TransportOptions } from '../../../src/adapters/peer-transport/http/http-peer-transport.js';
import { PeerUnreachable, type FeedMessage } from '../../../src/ports/peer-transport.port.js';
import { closeAll, peer, pem, serve, transport, type Answer } from '../../support/scripted-peer.js';

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

describe('a wrong setting is named', () => {
  const refusal = (code: string, headers = '') => {
    const body = JSON.stringify({ code });
    return `HTTP/1.1 401 No\r\n${headers}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };
  const dateIn = (seconds: number) => `Date: ${new Date(Date.now() + seconds * 1000).toUTCString()}\r\n`;
  const tls = async () => ({ cert: await pem('crt'), key: await pem('key') });

  /** How a call, a feed and a fetch of bytes fail at an address. */
  async function failuresAt(url: string): Promise<string[]> {
    const client = transport({ ca: await pem('crt') });
    const feed = client.followFeed(peer(url), null, new AbortController().signal)[Symbol.asyncIterator]();
    const calls = [
      client.get(peer(url), '/x', 1024),
      client.post({ name: 'Server A', url }, '/x', {}, 1024),
      feed.next(),
    ];
    const outcomes = await Promise.allSettled(calls);
    return outcomes.map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason) : 'no failure'));
  }

  it.each([
    [3600, /its clock is 3(?:59\d|600) s ahead of the one of this server$/],
    [-125, /its clock is 1(?:2[4-9]|3\d) s behind the one of this server$/],
  ])('clocks that are %s s apart, with the seconds', async (seconds, words) => {
    const url = await serve((socket) => socket.end(refusal('PEER_CLOCK_OFF', dateIn(seconds))));
    for (const failure of await failuresAt(url)) expect(failure).toMatch(words);
  });

  it('another server at the address', async () => {
    const url = await serve((socket) => socket.end(refusal('PEER_WRONG_SERVER')));
    for (const failure of await failuresAt(url)) expect(failure).toContain('its address leads to another server');
  });

  it('http:// in an address where HTTPS is answered', async () => {
    const url = await serve(() => undefined, await tls());
    for (const failure of await failuresAt(url.replace('https:', 'http:')))
      expect(failure).toContain('its address begins with http://, but it answers there by https://');
  });

  it('https:// in an address where HTTP is answered', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const failures = await failuresAt(`https://127.0.0.1:${port}`);
    server.close();
    for (const failure of failures)
      expect(failure).toContain('its address begins with https://, but it answers there by http://');
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
