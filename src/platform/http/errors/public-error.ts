import { HttpException, Logger } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { isTemporarySqlState, Refusal } from '../../../kernel/errors.js';
import { EventStoreUnavailable } from '../../../ports/event-store.port.js';
import { JobQueueUnavailable } from '../../../ports/job-queue.port.js';
import { StorageFull, StorageMissing } from '../../../ports/package-storage.port.js';
import { describeFullDatabase } from '../../runtime/host-resources.js';
import { codeOf, statusOf } from './error-codes.js';

const MAX_CAUSES = 5;
const CONNECTION_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOTFOUND',
]);
/** Messages of errors of `pg` and its pool that have no code. */
const PG_MESSAGES = new RegExp(
  [
    '^Connection terminated',
    '^timeout expired$',
    '^timeout exceeded when trying to connect$',
    '^Query read timeout$',
    '^Client has encountered a connection error and is not queryable$',
    '^Client was closed and is not queryable$',
    '^Cannot use a pool after calling end on the pool$',
  ].join('|'),
);

/** True when an error means that the database cannot be reached, so that a later attempt may succeed. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const cause = error instanceof QueryFailedError ? error.driverError : error;
  if (!(cause instanceof Error)) return false;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  // ENOENT concerns the database only when the socket file of the database is missing.
  const noSocket = code === 'ENOENT' && 'syscall' in cause && cause.syscall === 'connect';
  return noSocket || isTemporarySqlState(code) || CONNECTION_ERRORS.has(code) || PG_MESSAGES.test(cause.message);
}

/** The part of an error that a caller may know: the body of every error response, and its HTTP status. */
export interface PublicError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** Returns the seconds to wait before the next attempt (`Retry-After`; RFC 9110, 10.2.3), or null when not known. */
export function retryAfterOf({ details }: Pick<PublicError, 'details'>): number | null {
  const seconds = details?.['retryAfterSeconds'];
  return typeof seconds === 'number' ? seconds : null;
}

const STORAGE_MISSING = 'The volume with the packages is not mounted right now. Try again later.';
const QUEUE_UNAVAILABLE = 'The job queue cannot be reached right now. Try again soon.';
const DATABASE_UNAVAILABLE = 'The database cannot be reached right now. Try again soon.';
const LOG_UNAVAILABLE = 'The server cannot record changes right now. Try again soon.';

const OUT_OF_FILES =
  'The server has too many files and connections open right now. Try again soon, or raise its limit (LimitNOFILE).';

/** Causes that have a name, by the code of the error. They do not pass by themselves, so the message says what to do. */
const NAMED_CAUSES: readonly { readonly code: RegExp; readonly message: () => string }[] = [
  {
    code: /^25006$/,
    message: () =>
      'The database is read-only right now, so nothing can be changed. Its administrator has to make it writable.',
  },
  { code: /^53100$/, message: () => `${describeFullDatabase()} Nothing can be changed until there is more space.` },
  {
    code: /^53300$/,
    message: () => 'The database takes no more connections right now. Try again soon, or raise its max_connections.',
  },
  { code: /^(EMFILE|ENFILE)$/, message: () => OUT_OF_FILES },
];

const RETRY_WITHOUT_FILES_SECONDS = 5;

/** The codes of an error, of what it wraps, and of its causes. */
function codesOf(error: unknown): readonly string[] {
  const codes: string[] = [];
  for (let next = error, depth = 0; next instanceof Error && depth < MAX_CAUSES; depth += 1) {
    const inner: unknown = next instanceof QueryFailedError ? next.driverError : next;
    if (inner instanceof Error && 'code' in inner && typeof inner.code === 'string') codes.push(inner.code);
    next = next.cause;
  }
  return codes;
}

/** The message about the cause of an error that has a name; null for any other error. */
export function nameCause(error: unknown): string | null {
  const codes = codesOf(error);
  return NAMED_CAUSES.find(({ code }) => codes.some((found) => code.test(found)))?.message() ?? null;
}

/** A cause counts as present for so long after it was met last. */
const PRESENT_MS = 15_000;
/** The log tells again after this time that a cause is present. */
const TOLD_FOR_MS = 5 * 60_000;
const logger = new Logger('Server');

interface MetCause {
  /** The words of the latest time: sizes in them change. */
  message: string;
  at: number;
  toldAt: number;
}

/** By the first words, which say the kind. */
const met = new Map<string, MetCause>();

/** Remembers a cause for health checks, and logs it once. */
function noteCause(message: string): void {
  const [kind = message] = message.split(/[:.,]/, 1);
  const now = Date.now();
  const known = met.get(kind) ?? { message, at: now, toldAt: Number.NEGATIVE_INFINITY };
  const isTold = now - known.toldAt < TOLD_FOR_MS;
  if (!isTold) logger.warn(message);
  met.set(kind, { message, at: now, toldAt: isTold ? known.toldAt : now });
}

/** The causes that this process has met in the last seconds. */
export const presentCauses = (now = Date.now()): readonly string[] =>
  [...met.values()].filter(({ at }) => now - at < PRESENT_MS).map(({ message }) => message);

/** The refusal of a process that can hardly open a further file or connection. */
export function refuseOutOfFiles(): PublicError {
  noteCause(OUT_OF_FILES);
  const details = { retryAfterSeconds: RETRY_WITHOUT_FILES_SECONDS };
  return { status: 503, code: 'UNAVAILABLE', message: OUT_OF_FILES, details };
}

function unavailable(error: unknown, message: string): PublicError {
  const cause = nameCause(error);
  if (cause === OUT_OF_FILES) return refuseOutOfFiles();
  if (cause !== null) noteCause(cause);
  return { status: 503, code: 'UNAVAILABLE', message: cause ?? message };
}

/** Returns what callers may know about an expected error, or null when the error is unexpected. */
export function expectedError(error: unknown): PublicError | null {
  if (error instanceof Refusal) {
    const { code, message, details } = error;
    return { status: statusOf(code), code, message, ...(Object.keys(details).length > 0 && { details }) };
  }
  if (error instanceof StorageFull) return { status: 507, code: 'INSUFFICIENT_STORAGE', message: error.message };
  if (error instanceof EventStoreUnavailable) return unavailable(error, LOG_UNAVAILABLE);
  if (error instanceof JobQueueUnavailable) return unavailable(error, QUEUE_UNAVAILABLE);
  if (isDatabaseUnavailable(error) || nameCause(error) !== null) return unavailable(error, DATABASE_UNAVAILABLE);
  if (error instanceof StorageMissing) return { status: 503, code: 'UNAVAILABLE', message: STORAGE_MISSING };
  return errorFromStatus(error);
}

/** Errors of Nest and of body parsers have a status. Their messages are meant for the caller when it is 4xx. */
function errorFromStatus(error: unknown): PublicError | null {
  if (!(error instanceof Error)) return null;
  const status = error instanceof HttpException ? error.getStatus() : 'statusCode' in error ? error.statusCode : null;
  if (typeof status !== 'number' || status < 400 || status > 499) return null;
  return { status, code: codeOf(status), message: error.message };
}

/**
 * Returns the public form of an unexpected error. It contains only the correlation id with which the log names the
 * cause.
 */
export const internalError = (correlationId: string): PublicError => ({
  status: 500,
  code: 'INTERNAL',
  message: `Something went wrong in the server. Its log says more under ${correlationId}.`,
  details: { correlationId },
});
