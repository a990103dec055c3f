import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { errorCode } from '../../../kernel/errors.js';

/** The first byte of a TLS connection, which no HTTP request begins with. */
const TLS_HANDSHAKE = 0x16;

const SAID_FOR_MS = 60 * 60_000;
const MAX_ADDRESSES = 1000;

/**
 * Says in the log when somebody calls by https:// where this server answers by http://, or the reverse: most often another
 * server that has the address of this one in the wrong form. Each address is named once an hour.
 */
export function logWrongSchemes(server: Server, isTls: boolean, logger = new Logger('Http')): void {
  const said = new LRUCache<string, true>({ max: MAX_ADDRESSES, ttl: SAID_FOR_MS });
  const note = (address: string, called: string, answers: string): void => {
    if (said.has(address)) return;
    said.set(address, true);
    logger.warn(
      `Somebody at ${address} calls this server by ${called}, but it answers by ${answers} only. If it is a peer, correct the address that it has of this server.`,
    );
  };
  if (!isTls) {
    server.on('clientError', (error: Error & { rawPacket?: Uint8Array }, socket) => {
      if (error.rawPacket?.[0] === TLS_HANDSHAKE) note(addressOf(socket), 'https://', 'http://');
    });
    return;
  }
  server.on('tlsClientError', (error: Error, socket: Socket) => {
    if (errorCode(error) === 'ERR_SSL_HTTP_REQUEST') note(addressOf(socket), 'http://', 'https://');
  });
}

const addressOf = (socket: object): string =>
  'remoteAddress' in socket && typeof socket.remoteAddress === 'string' ? socket.remoteAddress : 'an unknown address';
