import { ERROR_CODES } from './error-codes.js';

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
