/** HTTP status and meaning of an error code. GraphQL answers carry the code only. */
interface ErrorCode {
  readonly status: number;
  readonly meaning: string;
}

const errorCode = (status: number, meaning: string): ErrorCode => ({ status, meaning });

/** Every code of an error reply. Codes never change their meaning; `docs/reference/errors.md` is made from this table. */
export const ERROR_CODES: Readonly<Record<string, ErrorCode>> = {
  INVALID_FILENAME: errorCode(400, 'The filename is empty, too long, or has characters that filenames must not have.'),
  INVALID_USERNAME: errorCode(400, 'The username is empty, too long, or has characters that usernames must not have.'),
  PASSWORD_REFUSED: errorCode(400, 'The new password is too short, too long, or the username.'),
  INVALID_STAGE: errorCode(400, 'The stage is not one of Dev, Test and Prod.'),
  INVALID_CURSOR: errorCode(400, 'The cursor is not one of this list. Start without `after`.'),
  INVALID_REQUEST: errorCode(400, 'Something else about the request is wrong; the message says what.'),
  INCOMPLETE_BODY: errorCode(400, 'The upload ended before all of its bytes had arrived. Send the file again.'),
  INVALID_DIGEST: errorCode(400, 'A digest header cannot be read, or two of them contradict each other.'),
  UNAUTHENTICATED: errorCode(401, 'No token, or one that is unknown or has expired. Sign in.'),
  TOKEN_EXPIRED: errorCode(401, 'The API token was valid once. Ask its owner for a new one.'),
  SIGN_IN_REFUSED: errorCode(401, 'The name or the password is wrong.'),
  PEER_SIGNATURE_MISSING: errorCode(401, 'A call between servers is not signed.'),
  PEER_SIGNATURE_INVALID: errorCode(
    401,
    'The signature of a call between servers does not fit the call, or has expired.',
  ),
  PEER_KEY_UNKNOWN: errorCode(401, 'The server that calls is not registered here.'),
  PEER_CLOCK_OFF: errorCode(
    401,
    'The clocks of the two servers are more than 60 s apart; the message says by how much.',
  ),
  PEER_CALL_REPLAYED: errorCode(401, 'A call between servers arrived twice; the second one is refused.'),
  PEER_BODY_TAMPERED: errorCode(401, 'The body of a call between servers is not the one that was signed.'),
  FORBIDDEN: errorCode(
    403,
    'The caller is known and may not do this; the message names the permission and the roles that have it.',
  ),
  DOWNLOAD_URL_EXPIRED: errorCode(403, 'The signed address of a download has expired. Ask for a new one.'),
  PASSWORD_CHANGE_REQUIRED: errorCode(
    403,
    'The password was given by somebody else. Change it first, with `changePassword`.',
  ),
  CROSS_SITE_CALL: errorCode(
    403,
    'A call with the session cookie did not come from a page of this server, or lacks `X-ODST-CSRF: 1`.',
  ),
  PEER_SUSPENDED: errorCode(403, 'The server that answers has suspended the one that asks. Resume it there.'),
  PEER_UNREGISTERED: errorCode(
    403,
    'The server that answers has unregistered the one that asks. Unregister it there too, or register anew.',
  ),
  PEER_NOT_SERVED: errorCode(
    403,
    'The server that answers sends nothing to the one that asks: its policy for it is RECEIVE_ONLY. Change it there.',
  ),
  INVALID_INVITATION: errorCode(403, 'This is no invitation, or it was used before. Ask for a new one.'),
  NOT_FOUND: errorCode(404, 'There is nothing at this address.'),
  PACKAGE_NOT_FOUND: errorCode(404, 'There is no such package, or it is not served here.'),
  PEER_NOT_FOUND: errorCode(404, 'No server of this id is registered here.'),
  REPLICA_NOT_FOUND: errorCode(404, 'This server has no copy of that package and has not asked for one.'),
  ACCOUNT_NOT_FOUND: errorCode(404, 'There is no such account.'),
  SESSION_NOT_FOUND: errorCode(404, 'There is no such session, or it has ended.'),
  TOKEN_NOT_FOUND: errorCode(404, 'There is no such API token, or it was revoked.'),
  METHOD_NOT_ALLOWED: errorCode(405, 'Only GET and HEAD are possible here.'),
  REQUEST_TIMEOUT: errorCode(
    408,
    'The request did not arrive in time: its headers within 30 s, a small body within 60 s, an upload with 4 KiB or more a minute.',
  ),
  USERNAME_TAKEN: errorCode(409, 'There is an account of this name already, perhaps in other letter case.'),
  LAST_ADMIN: errorCode(409, 'Without this account nobody could administer the server.'),
  ACCOUNT_IN_DIRECTORY: errorCode(
    409,
    'The directory keeps the password and the roles of this account. Change them there.',
  ),
  NO_DIRECTORY: errorCode(409, 'There is no directory: LDAP_URL is not set.'),
  NOT_REACHABLE: errorCode(
    409,
    'Nobody can call this server, so it makes no invitations. Make one on the other server.',
  ),
  PACKAGE_CONFLICT: errorCode(409, 'A peer describes the content of a known package differently. Only in the log.'),
  PACKAGE_NOT_HELD: errorCode(
    409,
    'This server does not hold that package now: it is on its way, damaged, or not for this server.',
  ),
  REPLICA_NOT_FAILED: errorCode(409, 'Only a replica that has failed can be retried.'),
  SETTING_FIXED: errorCode(409, 'An environment variable sets this. Change it there.'),
  STAMP_AHEAD: errorCode(409, 'A peer sent a stamp more than 5 minutes in the future. Only in the log.'),
  INVITATION_EXPIRED: errorCode(410, 'The invitation is more than an hour old. Ask for a new one.'),
  PRECONDITION_FAILED: errorCode(412, 'The file is another one than `If-Match` or `If-Unmodified-Since` asks for.'),
  TOO_LARGE: errorCode(413, 'The body is larger than such a request may have. Uploads have no limit.'),
  URL_TOO_LONG: errorCode(414, 'The address is longer than 8,000 characters.'),
  UNSUPPORTED_MEDIA_TYPE: errorCode(415, 'The body is encoded, or is not the kind that is expected here.'),
  RANGE_NOT_SATISFIABLE: errorCode(416, 'The file has no such range, or more than 64 ranges were asked for.'),
  DIGEST_MISMATCH: errorCode(422, 'What arrived has another digest than was announced. Send the file again.'),
  TOO_MANY_REQUESTS: errorCode(
    429,
    'Too many tries in a short time. `Retry-After` and `details.retryAfterSeconds` say how long to wait.',
  ),
  HEADERS_TOO_LARGE: errorCode(
    431,
    'The address and headers are longer than 16 KiB in all, or there are more than 100 headers.',
  ),
  INTERNAL: errorCode(500, 'Nobody foresaw this. The log says more under the `correlationId` in `details`.'),
  PEER_UNREACHABLE: errorCode(502, 'The other server does not answer, or not as it should; the message says why.'),
  OUTSIDE_WINDOW: errorCode(
    503,
    'The server that answers sends packages to the one that asks at certain times only. `Retry-After` and `details.opensAt` say when.',
  ),
  CHUNKS_PENDING: errorCode(
    503,
    'A server that fetches the package itself was asked for chunks that it does not have yet. Try again soon.',
  ),
  DIRECTORY_UNAVAILABLE: errorCode(
    503,
    'The directory (LDAP) does not answer, or not as it should. Local accounts can sign in.',
  ),
  UNAVAILABLE: errorCode(503, 'The server cannot do this now. Try again soon.'),
  INSUFFICIENT_STORAGE: errorCode(507, 'There is not enough free disk space for the package.'),
};

/** HTTP status of a Refusal's code; 409 for one that has none of its own. */
export const statusOf = (code: string): number => ERROR_CODES[code]?.status ?? 409;

const CODE_BY_STATUS = new Map(Object.entries(ERROR_CODES).map(([code, { status }]) => [status, code]));
const GENERAL_CODES: Readonly<Record<number, string>> = {
  400: 'INVALID_REQUEST',
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'INVALID_REQUEST',
};

/** Code for an error that only has an HTTP status. */
export const codeOf = (status: number): string =>
  GENERAL_CODES[status] ?? CODE_BY_STATUS.get(status) ?? 'INVALID_REQUEST';
