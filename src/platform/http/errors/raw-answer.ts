import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { API_HEADERS, headerLines } from '../headers/security-headers.js';
import { strictTransportLine } from '../headers/strict-transport.js';
import { retryAfterOf, type PublicError } from './public-error.js';

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
