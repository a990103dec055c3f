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
  // A server that starts refuses users before it has read who they are.
  ErrorType.ACCESS_DENIED,
]);
/** What the client throws as a plain error: no node was found, or the connection was closed a moment ago. */
const UNNAMED = /^(Failed to discover after|Channel has been shut down)/;
/** gRPC's codes for a request that would fail the same way again. */
const FINAL_CODES: ReadonlySet<number | undefined> = new Set([3, 5, 6, 9, 11, 12]);

const typeOf = (error: unknown): string | undefined =>
  error instanceof Error && isCommandError(error) ? error.type : undefined;

/** Would the same call work when the server is back? What the client can't name ("unknown") mostly is a cut connection. */
export function isTemporary(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (isCommandError(error))
    return error.type === ErrorType.UNKNOWN ? !FINAL_CODES.has(error.code) : TEMPORARY.has(error.type);
  return error instanceof NoAnswer || error instanceof ConnectionGone || UNNAMED.test(error.message);
}

export const isAccessDenied = (error: unknown): boolean => typeOf(error) === ErrorType.ACCESS_DENIED;

/** No such stream, or one that was deleted. */
export const isNoStream = (error: unknown): boolean =>
  ([ErrorType.STREAM_NOT_FOUND, ErrorType.STREAM_DELETED, ErrorType.NO_STREAM] as (string | undefined)[]).includes(
    typeOf(error),
  );

/** Fails with NoAnswer when the call has not settled in time: some calls of the client never do. */
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
