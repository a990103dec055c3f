import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** HTTP/2 without TLS (RFC 7540, 3.2), which Java's client and `curl --http2` offer with a first request. */
export const offersHttp2 = ({ headers }: IncomingMessage): boolean => headers.upgrade?.trim().toLowerCase() === 'h2c';

const ABOUT_UPGRADE = /^(?:upgrade|http2-settings|connection)$/i;

function headWithoutOffer({ method, url, rawHeaders }: IncomingMessage): string {
  const names = rawHeaders.filter((_, i) => i % 2 === 0);
  const lines = names
    .map((name, i) => `${name}: ${rawHeaders[2 * i + 1]}`)
    .filter((_, i) => !ABOUT_UPGRADE.test(names[i] ?? ''));
  return `${[`${method} ${url} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`;
}

/** An offer may be left alone (RFC 9110, 7.8). Node has taken the connection out of HTTP by then, so it goes in again, with the request. */
export function declineHttp2(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.unshift(Buffer.concat([Buffer.from(headWithoutOffer(request), 'latin1'), head]));
  server.emit('encrypted' in socket ? 'secureConnection' : 'connection', socket);
}
