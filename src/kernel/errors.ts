/**
 * The stable error codes, by name. Who gives out a code adds it to this interface by declaration merging, and declares
 * its HTTP status and its meaning (`declareErrorCodes` in src/platform/http/errors/error-codes.ts).
 */
// oxlint-disable-next-line typescript/no-empty-object-type
export interface ErrorCodes {}
export type ErrorCode = keyof ErrorCodes;

/**
 * An expected "no": the server understands the request and does not carry it out. `code` is stable, in capitals, and part
 * of the contract (GraphQL `extensions.code`, the `code` of an HTTP error body); `message` tells the user what to do.
 */
export class Refusal extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: Readonly<Record<string, string | number | boolean>> = {},
  ) {
    super(message);
    this.name = 'Refusal';
  }
}

/** The server cannot start. The message is one line that says what to change, because a stack trace would not help. */
export class StartupError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StartupError';
  }
}

/** `code` of a system or PostgreSQL error, such as ENOENT or 40001. Undefined when the value has none. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Message of an error; any other value as text. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * SQLSTATE codes that mean a lost connection, a database that is stopping, starting or too slow, one without resources (disk,
 * memory, connections, locks), one that takes no changes, or two transactions of which one had to give way.
 */
const TEMPORARY_SQLSTATE = /^(08|57P|57014|53|55P03|40|25006)/;

/** True for an SQLSTATE after which the same statement may succeed at another time. */
export const isTemporarySqlState = (code: string): boolean => TEMPORARY_SQLSTATE.test(code);
