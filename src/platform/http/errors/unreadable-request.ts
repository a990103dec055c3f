import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

interface Fault {
  readonly status: string;
  readonly code: string;
  readonly message: string;
}

const MALFORMED: Fault = { status: '400 Bad Request', code: 'INVALID_REQUEST', message: 'This is no HTTP request.' };

/** By the code of Node's error. */
const FAULTS: Readonly<Record<string, Fault>> = {
  HPE_INVALID_EOF_STATE: {
    status: '400 Bad Request',
    code: 'INCOMPLETE_BODY',
    message: 'The sender closed its side before all of the request had arrived.',
  },
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    code: 'INVALID_REQUEST',
    message: 'The address and the headers of the request are too long.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    code: 'INVALID_REQUEST',
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
    const { status, ...fault } = ('code' in error && FAULTS[String(error.code)]) || MALFORMED;
    const body = JSON.stringify(fault);
    const head = `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close`;
    socket.write(`HTTP/1.1 ${status}\r\n${head}\r\n\r\n${body}`);
  }
  socket.destroy(error);
}
