import { readFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { OPEN_POLICY } from '../../src/kernel/transfer-policy.js';
import {
  HttpPeerTransport,
  type TransportOptions,
} from '../../src/adapters/peer-transport/http/http-peer-transport.js';
import { LOOPBACK_PEERS } from './loopback-peers.js';

/** Answers each request head with what the test wants. */
export type Answer = (socket: Socket, head: string, nth: number) => void;

const closers: (() => Promise<unknown>)[] = [];

export async function serve(answer: Answer, tls?: { cert: string; key: string }): Promise<string> {
  const sockets = new Set<Socket>();
  let nth = 0;
  const listener = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (piece) => {
      text += piece.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end);
        text = text.slice(end + 4);
        answer(socket, head, nth++);
      }
    });
  };
  const server: Server = tls ? createTlsServer(tls, listener) : createServer(listener);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return `${tls ? 'https' : 'http'}://127.0.0.1:${address.port}`;
}

export function transport(options: TransportOptions = {}): HttpPeerTransport {
  let nonce = 0;
  const made = new HttpPeerTransport(
    { sign: ({ to }) => ({ signature: `s${nonce++}`, 'odst-recipient': String(to) }) },
    { ...LOOPBACK_PEERS, ...options },
  );
  closers.push(() => made.onApplicationShutdown());
  return made;
}

export const peer = (url: string) => ({
  peerId: 'a',
  name: 'Server A',
  url,
  publicKey: 'k',
  suspended: false,
  policy: OPEN_POLICY,
});

/** First and last byte that a request head asks for. */
export function rangeOf(head: string): [number, number] {
  const [, first = '', last = ''] = /range: bytes=(\d+)-(\d+)/.exec(head) ?? [];
  return [Number(first), Number(last)];
}

/** The right response head for a request for a part of a package of `size` bytes. */
export function partialHead(head: string, size: number, extra = ''): string {
  const [first, last] = rangeOf(head);
  return (
    `HTTP/1.1 206 Partial Content\r\nContent-Range: bytes ${first}-${last}/${size}\r\n` +
    `Content-Length: ${last - first + 1}\r\n${extra}\r\n`
  );
}

/** A certificate for 127.0.0.1 and its key (`crt`, `key`), for tests alone. */
export const pem = (name: 'crt' | 'key') => readFile(new URL(`./tls/localhost.${name}`, import.meta.url), 'utf8');

/** Ends the servers and transports of a test. */
export async function closeAll(): Promise<void> {
  await Promise.all(closers.splice(0).map((close) => close()));
}
