import { Refusal } from '../../kernel/errors.js';
import { findTextFault } from '../../kernel/input-text.js';
import { isPlain, NOT_PLAIN_FAULT } from '../../kernel/text.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** The longest text argument, in UTF-16 code units. */
const MAX_TEXT = 1_000;

const refuseArgument = (name: string, why: string): never => {
  throw new Refusal('INVALID_REQUEST', `\`${name}\` ${why}.`, { argument: name });
};

/**
 * Checks an argument that is an id, and returns it in lower case.
 * @throws Refusal INVALID_REQUEST when it is no UUID
 */
export const uuidArgument = (name: string, value: string): string =>
  UUID.test(value) ? value.toLowerCase() : refuseArgument(name, 'is not an id: it must be a UUID');

/**
 * Checks a text argument and returns it in Unicode normal form C, as people's texts are stored.
 * @throws Refusal INVALID_REQUEST when the text is longer than 1,000 characters, or contains characters that the database
 *   cannot store or that do not show as what they are
 */
export function textArgument(name: string, value: string): string {
  // The normal form of a text can be longer.
  const normal = value.length > MAX_TEXT ? value : value.normalize('NFC');
  const fault = findTextFault(normal, { max: MAX_TEXT, anyForm: true });
  return fault === null ? normal : refuseArgument(name, fault);
}

/**
 * Checks an argument that is a password and returns it unchanged. A password may contain any character that can be sent,
 * and is stored only as a hash.
 * @throws Refusal INVALID_REQUEST when it is longer than 1,000 characters, or not valid Unicode without NUL
 */
export function passwordArgument(name: string, value: string): string {
  if (value.length > MAX_TEXT) return refuseArgument(name, `must be at most ${MAX_TEXT} characters long`);
  return isPlain(value) ? value : refuseArgument(name, NOT_PLAIN_FAULT);
}

type Missing = null | undefined;

/**
 * Checks a text argument that may be missing; null when it is.
 * @throws Refusal INVALID_REQUEST as `textArgument` does
 */
export const optionalText = (name: string, value: string | Missing): string | null =>
  value === null || value === undefined ? null : textArgument(name, value);

/**
 * Checks a password that may be missing; null when it is.
 * @throws Refusal INVALID_REQUEST as `passwordArgument` does
 */
export const optionalPassword = (name: string, value: string | Missing): string | null =>
  value === null || value === undefined ? null : passwordArgument(name, value);
