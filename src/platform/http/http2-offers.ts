import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * True when a client offers to change to HTTP/2 without TLS (RFC 7540, 3.2). Java's client and `curl --http2` do so in
 * their first request.
 */
export const offersHttp2 = ({ headers }: IncomingMessage): boolean => headers.upgrade?.trim().toLowerCase() === 'h2c';

/**
 * Option of a server by which Node itself ignores these offers and keeps every other upgrade. Node knows it since 24.9, and
 * needs it since then: the body of such a request does not reach the listener for upgrades any more.
 */
export const DECLINES_HTTP2 = { shouldUpgradeCallback: (request: IncomingMessage): boolean => !offersHttp2(request) };

const ABOUT_UPGRADE = /^(?:upgrade|http2-settings|connection)$/i;

function headWithoutOffer({ method, url, rawHeaders }: IncomingMessage): string {
  const names = rawHeaders.filter((_, i) => i % 2 === 0);
  const lines = names
    .map((name, i) => `${name}: ${rawHeaders[2 * i + 1]}`)
    .filter((_, i) => !ABOUT_UPGRADE.test(names[i] ?? ''));
  return `${[`${method} ${url} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`;
}

/**
 * Ignores an offer to change to HTTP/2 (RFC 9110, 7.8) and handles the request by HTTP/1.1. Node has already detached
 * the connection from its HTTP parser, so the request is put back in front of the data and the connection is given to
 * the server again. For Node before 24.9, which hands every upgrade to its listener.
 */
export function declineHttp2(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.unshift(Buffer.concat([Buffer.from(headWithoutOffer(request), 'latin1'), head]));
  server.emit('encrypted' in socket ? 'secureConnection' : 'connection', socket);
}
