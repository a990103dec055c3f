import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { LoggerService } from '@nestjs/common';
import { newId } from '../../runtime/ids.js';
import { API_HEADERS, headerLines, strictTransportLine } from '../security-headers.js';
import { expectedError, internalError, type PublicError, retryAfterOf } from './public-error.js';

const RAW_HEADERS = headerLines({
  'Content-Type': 'application/json; charset=utf-8',
  ...API_HEADERS,
  Connection: 'close',
});

/** An error as the bytes of a whole answer, for connections on which there is no ServerResponse. */
export function rawAnswer(socket: Duplex, { status, ...error }: PublicError): string {
  const body = JSON.stringify(error);
  const retryAfter = retryAfterOf(error);
  const retry = retryAfter === null ? '' : `Retry-After: ${retryAfter}\r\n`;
  const length = `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${RAW_HEADERS}${strictTransportLine(socket)}${retry}${length}\r\n${body}`;
}

/** Answers on a connection that another protocol was asked for on, in the one shape of error replies, and ends it. */
export function answerUpgrade(socket: Duplex, error: PublicError): void {
  // It may have been closed meanwhile.
  socket.on('error', () => undefined);
  socket.end(rawAnswer(socket, error));
}

/** The same for whatever was thrown; an unexpected error leaves one line in the log. */
export function refuseUpgrade(socket: Duplex, error: unknown, logger: LoggerService): void {
  const known = expectedError(error);
  if (known) return answerUpgrade(socket, known);
  const correlationId = newId();
  logger.error(`A connection could not be taken over (${correlationId}): ${String(error)}`);
  answerUpgrade(socket, internalError(correlationId));
}

const MALFORMED: PublicError = { status: 400, code: 'INVALID_REQUEST', message: 'This is no HTTP request.' };

/** By the code of Node's error. */
const FAULTS: Readonly<Record<string, PublicError>> = {
  HPE_INVALID_EOF_STATE: {
    status: 400,
    code: 'INCOMPLETE_BODY',
    message: 'The sender closed its side before all of the request had arrived.',
  },
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'HEADERS_TOO_LARGE',
    message: 'The address and the headers of the request are longer than 16 KiB.',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    code: 'TOO_LARGE',
    message: 'The extensions of a chunk of the body are too long.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'REQUEST_TIMEOUT',
    message: 'The headers of the request did not arrive in time.',
  },
};

/**
 * Answers what Node cannot read as a request, and so nobody else hears of, and closes the connection. Sends nothing
 * when an answer is on its way there: it would become part of that.
 */
export function answerUnreadable(error: Error, socket: Duplex, underWay: ServerResponse | undefined): void {
  const isAnswering = underWay?.headersSent === true && !underWay.writableFinished;
  if (socket.writable && !isAnswering) {
    socket.write(rawAnswer(socket, ('code' in error && FAULTS[String(error.code)]) || MALFORMED));
  }
  socket.destroy(error);
}
