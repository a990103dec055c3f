import { ErrorType, isCommandError } from '@eventstore/db-client';

/** The server gave no answer in time. */
export class NoAnswer extends Error {
  constructor(what: string, ms: number) {
    super(`No answer to ${what} within ${ms} ms`);
    this.name = 'NoAnswer';
  }
}

/** The connection was closed when the call was about to begin. */
export class ConnectionGone extends Error {
  constructor() {
    super('The connection to EventStoreDB was closed');
    this.name = 'ConnectionGone';
  }
}

const TEMPORARY: ReadonlySet<string> = new Set([
  ErrorType.TIMEOUT,
  ErrorType.DEADLINE_EXCEEDED,
  ErrorType.UNAVAILABLE,
  ErrorType.CANCELLED,
  ErrorType.NOT_LEADER,
  // A starting server refuses all users until it has loaded them.
  ErrorType.ACCESS_DENIED,
]);
/** Errors of the client that have only a message: it found no node, or the connection has just been closed. */
const UNNAMED = /^(Failed to discover after|Channel has been shut down)/;
/** The gRPC codes of requests that would fail again in the same way. */
const FINAL_CODES: ReadonlySet<number | undefined> = new Set([3, 5, 6, 9, 11, 12]);

const typeOf = (error: unknown): string | undefined =>
  error instanceof Error && isCommandError(error) ? error.type : undefined;

/**
 * True when the same call may succeed once the server is back. Most "unknown" errors of the client are broken connections.
 */
export function isTemporary(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isCommandError(error))
    return error.type === ErrorType.UNKNOWN ? !FINAL_CODES.has(error.code) : TEMPORARY.has(error.type);
  return error instanceof NoAnswer || error instanceof ConnectionGone || UNNAMED.test(error.message);
}

export const isAccessDenied = (error: unknown): boolean => typeOf(error) === ErrorType.ACCESS_DENIED;

/** True when the stream does not exist or was deleted. */
export const isNoStream = (error: unknown): boolean =>
  ([ErrorType.STREAM_NOT_FOUND, ErrorType.STREAM_DELETED, ErrorType.NO_STREAM] as (string | undefined)[]).includes(
    typeOf(error),
  );

/** Waits for a call, but not for ever, because some calls of the client never end. @throws NoAnswer after `ms` milliseconds */
export async function withTimeout<T>(ms: number, what: string, call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(what, ms)), ms);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}
