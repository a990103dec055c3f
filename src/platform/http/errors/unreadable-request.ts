import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { PublicError } from './public-error.js';
import { rawAnswer } from './raw-answer.js';

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
