const STATUS: Readonly<Record<string, number>> = {
  INVALID_FILENAME: 400,
  INVALID_STAGE: 400,
  INVALID_CURSOR: 400,
  INVALID_REQUEST: 400,
  INCOMPLETE_BODY: 400,
  INVALID_DIGEST: 400,
  UNAUTHENTICATED: 401,
  SIGN_IN_REFUSED: 401,
  PEER_SIGNATURE_MISSING: 401,
  PEER_SIGNATURE_INVALID: 401,
  PEER_KEY_UNKNOWN: 401,
  PEER_CLOCK_OFF: 401,
  PEER_CALL_REPLAYED: 401,
  PEER_BODY_TAMPERED: 401,
  FORBIDDEN: 403,
  PEER_SUSPENDED: 403,
  INVALID_INVITATION: 403,
  NOT_FOUND: 404,
  PACKAGE_NOT_FOUND: 404,
  PEER_NOT_FOUND: 404,
  REPLICA_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  INVITATION_EXPIRED: 410,
  PRECONDITION_FAILED: 412,
  TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RANGE_NOT_SATISFIABLE: 416,
  DIGEST_MISMATCH: 422,
  TOO_MANY_REQUESTS: 429,
  UNAVAILABLE: 503,
  INSUFFICIENT_STORAGE: 507,
};

/** HTTP status of a Refusal's code; 409 for those that have none of their own. */
export const statusOf = (code: string): number => STATUS[code] ?? 409;

const CODES = new Map(Object.entries(STATUS).map(([code, status]) => [status, code]));
const GENERAL: Readonly<Record<number, string>> = { 400: 'INVALID_REQUEST', 401: 'UNAUTHENTICATED', 404: 'NOT_FOUND' };

/** Code for an error that only has an HTTP status. */
export const codeOf = (status: number): string => GENERAL[status] ?? CODES.get(status) ?? 'INVALID_REQUEST';
