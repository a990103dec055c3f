import type { IncomingMessage, ServerResponse } from 'node:http';
import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { currentContext } from '../../context/call-context.js';
import { expectedError, internalError, type PublicError } from './public-error.js';
import { sendError } from './send-error.js';

const logger = new Logger('Http');

/** Turns whatever was thrown into the one shape of error replies. GraphQL formats its own errors. */
@Catch()
export class HttpExceptionFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): unknown {
    if (host.getType<string>() !== 'http') return error;
    const http = host.switchToHttp();
    answerError(error, http.getRequest<IncomingMessage>(), http.getResponse<ServerResponse>());
    return undefined;
  }
}

/** RFC 9110, 10.2.3: for a refusal that says when it is worth asking again. */
function retryAfter({ details }: PublicError): { 'Retry-After'?: number } {
  const seconds = details?.['retryAfterSeconds'];
  return typeof seconds === 'number' ? { 'Retry-After': seconds } : {};
}

/** Answers a request that failed; an unexpected error leaves one line in the log. */
export function answerError(error: unknown, request: IncomingMessage, response: ServerResponse): void {
  const known = expectedError(error);
  if (known) return sendError(request, response, known, retryAfter(known));
  const { correlationId } = currentContext();
  logger.error(
    `${request.method} ${request.url?.slice(0, 300)} failed (${correlationId}): ${String(error)}`,
    error instanceof Error ? error.stack : undefined,
  );
  sendError(request, response, internalError(correlationId));
}
