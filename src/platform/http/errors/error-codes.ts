import type { ErrorCode } from '../../../kernel/errors.js';

/** The HTTP status and the meaning of an error code. GraphQL responses contain only the code. */
interface ErrorCodeDeclaration {
  readonly status: number;
  readonly meaning: string;
}

type ErrorCodeTable = Readonly<Record<string, ErrorCodeDeclaration>>;

const declared = new Map<string, ErrorCodeDeclaration>();

/**
 * Adds the error codes of a module. The module also adds their names to `ErrorCodes` by declaration merging, and calls
 * this function once, when it is loaded. The meaning of a code never changes.
 * @throws Error when a code is declared twice
 */
export function declareErrorCodes<T extends ErrorCodeTable>(codes: T): T {
  for (const [code, declaration] of Object.entries(codes)) {
    if (declared.has(code)) throw new Error(`The error code ${code} is declared twice.`);
    declared.set(code, declaration);
  }
  return codes;
}

/** Returns all error codes in the order of their HTTP status. `docs/reference/errors.md` is generated from them. */
export const allErrorCodes = (): ReadonlyMap<string, ErrorCodeDeclaration> =>
  new Map([...declared].toSorted(([, a], [, b]) => a.status - b.status));

/** The codes that do not belong to one module. */
const generalCodes = declareErrorCodes({
  INVALID_CURSOR: { status: 400, meaning: 'The cursor does not belong to this list. Start without `after`.' },
  INVALID_REQUEST: { status: 400, meaning: 'The request is wrong in another way. The message says what is wrong.' },
  INCOMPLETE_BODY: {
    status: 400,
    meaning: 'The upload ended before all of its bytes had arrived. Send the file again.',
  },
  UNAUTHENTICATED: { status: 401, meaning: 'The token is missing or unknown, or it has expired. Sign in.' },
  TOKEN_EXPIRED: { status: 401, meaning: 'The API token has expired. Ask its owner for a new one.' },
  PEER_SIGNATURE_MISSING: { status: 401, meaning: 'A call between servers is not signed.' },
  PEER_SIGNATURE_INVALID: {
    status: 401,
    meaning: 'The signature of a call between servers does not match the call, or it has expired.',
  },
  PEER_KEY_UNKNOWN: { status: 401, meaning: 'The calling server is not registered on the called server.' },
  PEER_WRONG_SERVER: {
    status: 401,
    meaning:
      'A call between servers is for another server than the one that got it. The address of the peer on the calling server is wrong.',
  },
  PEER_CLOCK_OFF: {
    status: 401,
    meaning: 'The clocks of the two servers are more than 60 s apart. The message says by how much.',
  },
  PEER_CALL_REPLAYED: { status: 401, meaning: 'A call between servers arrived twice. The second one is refused.' },
  PEER_BODY_TAMPERED: { status: 401, meaning: 'The body of a call between servers is not the one that was signed.' },
  FORBIDDEN: {
    status: 403,
    meaning:
      'The caller is signed in but may not do this. The message names the permission and the roles that have it.',
  },
  PASSWORD_CHANGE_REQUIRED: {
    status: 403,
    meaning: 'The password is a one-time password. Change it first, with `changePassword`.',
  },
  CROSS_SITE_CALL: {
    status: 403,
    meaning: 'A call with the session cookie did not come from a page of this server, or lacks `X-ODST-CSRF: 1`.',
  },
  PEER_SUSPENDED: {
    status: 403,
    meaning: 'The called server has suspended the calling server. Resume it on the called server.',
  },
  PEER_UNREGISTERED: {
    status: 403,
    meaning:
      'The called server has unregistered the calling server. On the calling server, unregister the called server too, or register again.',
  },
  NOT_FOUND: { status: 404, meaning: 'There is nothing at this address.' },
  METHOD_NOT_ALLOWED: { status: 405, meaning: 'This method is not possible here. `Allow` says which ones are.' },
  REQUEST_TIMEOUT: {
    status: 408,
    meaning:
      'The request did not arrive in time. Headers must arrive within 30 s, a small body within 60 s, and an upload must deliver at least 4 KiB per minute.',
  },
  EVENT_UNPROCESSABLE: {
    status: 409,
    meaning:
      'The history of what the request is about contains an event that this version of the program cannot process. `problems` names it and says what to do.',
  },
  PRECONDITION_FAILED: {
    status: 412,
    meaning: 'The file is not the one for which `If-Match` or `If-Unmodified-Since` asks.',
  },
  TOO_LARGE: { status: 413, meaning: 'The body is larger than this kind of request allows. Uploads have no limit.' },
  URL_TOO_LONG: { status: 414, meaning: 'The address is longer than 8,000 characters.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, meaning: 'The body is encoded, or it does not have the expected media type.' },
  RANGE_NOT_SATISFIABLE: {
    status: 416,
    meaning: 'The file does not have this range, or the request asks for more than 64 ranges.',
  },
  TOO_MANY_REQUESTS: {
    status: 429,
    meaning:
      'There were too many attempts in a short time. `Retry-After` and `details.retryAfterSeconds` say how long to wait.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    meaning: 'The address and the headers together are longer than 16 KiB, or there are more than 100 headers.',
  },
  INTERNAL: {
    status: 500,
    meaning: 'An unexpected error occurred in the server. The log describes it under the `correlationId` in `details`.',
  },
  PEER_UNREACHABLE: {
    status: 502,
    meaning: 'The other server does not answer, or it answers in an unexpected way. The message says why.',
  },
  UNAVAILABLE: { status: 503, meaning: 'The server cannot do this now. Try again soon.' },
  INSUFFICIENT_STORAGE: { status: 507, meaning: 'There is not enough free disk space for the package.' },
});

type GeneralCodes = Record<keyof typeof generalCodes, true>;

declare module '../../../kernel/errors.js' {
  interface ErrorCodes extends GeneralCodes {}
}

/** Returns the HTTP status of an error code, or 409 when the code is not declared. */
export const statusOf = (code: string): number => declared.get(code)?.status ?? 409;

const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'INVALID_REQUEST',
};

/** Returns an error code for an error that has only an HTTP status. */
export function codeOf(status: number): string {
  const [code] = [...declared].findLast(([, declaration]) => declaration.status === status) ?? [];
  return CODE_BY_STATUS[status] ?? code ?? 'INVALID_REQUEST';
}
