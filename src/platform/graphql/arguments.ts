import { isPlain } from '../../kernel/text.js';
import { Refusal } from '../../kernel/errors.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** The longest text argument, in UTF-16 code units. */
const MAX_TEXT = 1_000;

/**
 * Checks an argument that is an id, and returns it in lower case.
 * @throws Refusal INVALID_REQUEST when it is no UUID
 */
export function uuidArgument(name: string, value: string): string {
  if (UUID.test(value)) return value.toLowerCase();
  throw new Refusal('INVALID_REQUEST', `\`${name}\` is not an id: it must be a UUID.`, { argument: name });
}

/**
 * Checks a text argument and returns it unchanged.
 * @throws Refusal INVALID_REQUEST when the text is longer than 1,000 characters, or contains NUL or half of a surrogate
 *   pair, which the database cannot store
 */
export function textArgument(name: string, value: string): string {
  if (value.length <= MAX_TEXT && isPlain(value)) return value;
  throw new Refusal('INVALID_REQUEST', `\`${name}\` must be at most ${MAX_TEXT} characters, without NUL.`, {
    argument: name,
  });
}

/**
 * Checks a text argument that may be missing; null when it is.
 * @throws Refusal INVALID_REQUEST as `textArgument` does
 */
export const optionalText = (name: string, value: string | null | undefined): string | null =>
  value === null || value === undefined ? null : textArgument(name, value);
