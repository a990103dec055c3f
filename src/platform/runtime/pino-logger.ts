import type { LoggerService } from '@nestjs/common';
import { pino, type Logger } from 'pino';
import { runningContext } from './call-context.js';

/** Contexts of the messages that Nest logs about itself at each start. They get the level `debug`. */
const FRAMEWORK_CONTEXTS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'GraphQLModule',
  'NestApplication',
]);

/**
 * Writes the log messages of Nest to standard output, as one JSON object per line with the correlation id of the call.
 */
export class PinoLogger implements LoggerService {
  private readonly logger: Logger;

  constructor(level: string) {
    this.logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  }

  log(message: unknown, ...rest: unknown[]): void {
    const level = FRAMEWORK_CONTEXTS.has(String(rest.at(-1))) ? 'debug' : 'info';
    this.logger[level](logFields(rest), messageText(message));
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.logger.debug(logFields(rest), messageText(message));
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.logger.warn(logFields(rest), messageText(message));
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.logger.error(logFields(rest), messageText(message));
  }
}

const messageText = (message: unknown): string =>
  message instanceof Error ? (message.stack ?? message.message) : String(message);

/** Nest passes the name of the context as the last argument, and for errors the stack before it. */
function logFields(rest: unknown[]): object {
  const context = rest.at(-1);
  const stack = rest.length > 1 ? rest[0] : undefined;
  return { context, stack, correlationId: runningContext()?.correlationId };
}
