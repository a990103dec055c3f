import type { IncomingMessage, ServerResponse } from 'node:http';
import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { currentContext } from '../../runtime/call-context.js';
import { expectedError, internalError } from './public-error.js';
import { sendError } from './send-error.js';

const logger = new Logger('Http');

/** Answers every error of an HTTP route in the common form of error responses. GraphQL formats its own errors. */
@Catch()
export class HttpExceptionFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): unknown {
    if (host.getType<string>() !== 'http') return error;
    const http = host.switchToHttp();
    answerError(error, http.getRequest<IncomingMessage>(), http.getResponse<ServerResponse>());
    return undefined;
  }
}

/** Answers a request that failed. An unexpected error is written to the server's log with its correlation id. */
export function answerError(error: unknown, request: IncomingMessage, response: ServerResponse): void {
  const known = expectedError(error);
  if (known) return sendError(request, response, known);
  const { correlationId } = currentContext();
  logger.error(
    `${request.method} ${request.url?.slice(0, 300)} failed (${correlationId}): ${String(error)}`,
    error instanceof Error ? error.stack : undefined,
  );
  sendError(request, response, internalError(correlationId));
}
