import type { IncomingMessage } from 'node:http';
import type { PublicError } from '../errors/public-error.js';

export const MAX_URL = 8_000;
export const MAX_HEADERS = 100;

const HOST_NAME = /^host$/i;

/** What is wrong with the address and the headers of a request, before anybody looks at what they say; null when nothing is. */
export function findHeadFault({ url = '', rawHeaders, httpVersion }: IncomingMessage): PublicError | null {
  if (url.length > MAX_URL) {
    return { status: 414, code: 'URL_TOO_LONG', message: `The address is longer than ${MAX_URL} characters.` };
  }
  // Names and values in turn.
  if (rawHeaders.length > 2 * MAX_HEADERS) {
    return { status: 431, code: 'HEADERS_TOO_LARGE', message: `The request has more than ${MAX_HEADERS} headers.` };
  }
  const hosts = rawHeaders.filter((name, i) => i % 2 === 0 && name.length === 4 && HOST_NAME.test(name)).length;
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) {
    return { status: 400, code: 'INVALID_REQUEST', message: 'A request must have one Host header.' };
  }
  return null;
}
