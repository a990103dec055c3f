import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { LoggerService } from '@nestjs/common';
import { newId } from '../../ids/ids.js';
import { expectedError, internalError, type PublicError } from './public-error.js';

/** Answers on a connection that another protocol was asked for on, in the one shape of error replies, and ends it. */
export function answerUpgrade(socket: Duplex, { status, ...error }: PublicError): void {
  const body = JSON.stringify(error);
  const head = `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  // It may have been closed meanwhile.
  socket.on('error', () => undefined);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head}\r\n\r\n${body}`);
}

/** The same for whatever was thrown; an unexpected error leaves one line in the log. */
export function refuseUpgrade(socket: Duplex, error: unknown, logger: LoggerService): void {
  const known = expectedError(error);
  if (known) return answerUpgrade(socket, known);
  const correlationId = newId();
  logger.error(`A connection could not be taken over (${correlationId}): ${String(error)}`);
  answerUpgrade(socket, internalError(correlationId));
}
