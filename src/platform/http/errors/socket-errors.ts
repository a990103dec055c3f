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

/** Returns an error as a complete HTTP response, for a connection without a ServerResponse. */
export function rawAnswer(socket: Duplex, { status, ...error }: PublicError): string {
  const body = JSON.stringify(error);
  const retryAfter = retryAfterOf(error);
  const retry = retryAfter === null ? '' : `Retry-After: ${retryAfter}\r\n`;
  const length = `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${RAW_HEADERS}${strictTransportLine(socket)}${retry}${length}\r\n${body}`;
}

/** Refuses an upgrade: answers in the common form of error responses and ends the connection. */
export function answerUpgrade(socket: Duplex, error: PublicError): void {
  // The client may have closed the connection meanwhile.
  socket.on('error', () => undefined);
  socket.end(rawAnswer(socket, error));
}

/** Refuses an upgrade that failed with an error. An unexpected error is written to the server's log. */
export function refuseUpgrade(socket: Duplex, error: unknown, logger: LoggerService): void {
  const known = expectedError(error);
  if (known) return answerUpgrade(socket, known);
  const correlationId = newId();
  logger.error(`A request to upgrade a connection failed (${correlationId}): ${String(error)}`);
  answerUpgrade(socket, internalError(correlationId));
}

const MALFORMED: PublicError = { status: 400, code: 'INVALID_REQUEST', message: 'This is not an HTTP request.' };

/** The public form of the errors that Node reports for unreadable requests, by the code of the error. */
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
 * Answers a request that Node cannot parse, and closes the connection. No other handler sees such a request. Nothing is
 * sent while another response is being written on the connection, because the bytes would become a part of it.
 */
export function answerUnreadable(error: Error, socket: Duplex, underWay: ServerResponse | undefined): void {
  const isAnswering = underWay?.headersSent === true && !underWay.writableFinished;
  if (socket.writable && !isAnswering) {
    socket.write(rawAnswer(socket, ('code' in error && FAULTS[String(error.code)]) || MALFORMED));
  }
  socket.destroy(error);
}
