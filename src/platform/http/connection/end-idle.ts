import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { rawAnswer } from '../errors/raw-answer.js';

const IDLE_MESSAGE = 'Nothing has arrived for too long.';

/**
 * Closes a connection on which nothing has moved for long, with a word to who has not sent all of a request. Who waits
 * for our answer to a whole one is not the one that is idle.
 */
export function endIdle(socket: Socket, underWay: ServerResponse | undefined): void {
  const isOpen = underWay !== undefined && !underWay.headersSent && !underWay.destroyed;
  if (isOpen && underWay.req.complete) return;
  if (isOpen) socket.write(rawAnswer(socket, { status: 408, code: 'REQUEST_TIMEOUT', message: IDLE_MESSAGE }));
  socket.destroy();
}
