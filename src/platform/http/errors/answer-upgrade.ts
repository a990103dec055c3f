import type { Duplex } from 'node:stream';
import type { LoggerService } from '@nestjs/common';
import { newId } from '../../ids/ids.js';
import { expectedError, internalError, type PublicError } from './public-error.js';
import { rawAnswer } from './raw-answer.js';

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
