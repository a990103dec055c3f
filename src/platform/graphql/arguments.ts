import { isPlain } from '../../kernel/text.js';
import { Refusal } from '../../kernel/errors.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const MAX_TEXT = 1_000;

/** A package id. @throws Refusal INVALID_REQUEST for what can't be one */
export function uuidArgument(name: string, value: string): string {
  if (UUID.test(value)) return value.toLowerCase();
  throw new Refusal('INVALID_REQUEST', `\`${name}\` is not an id: it must be a UUID.`, { argument: name });
}

/** Text as the database takes it. @throws Refusal INVALID_REQUEST when it holds NUL or is longer than 1,000 characters */
export function textArgument(name: string, value: string): string {
  if (value.length <= MAX_TEXT && isPlain(value)) return value;
  throw new Refusal('INVALID_REQUEST', `\`${name}\` must be at most ${MAX_TEXT} characters, without NUL.`, {
    argument: name,
  });
}

/** The same for text that may be missing. */
export const optionalText = (name: string, value: string | null | undefined): string | null =>
  value === null || value === undefined ? null : textArgument(name, value);
