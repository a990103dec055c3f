import { v5 } from 'uuid';
import { Refusal } from '../../../kernel/errors.js';
import { cleanText, findTextFault } from '../../../kernel/input-text.js';

/** Longest username, in characters. */
const MAX_USERNAME_LENGTH = 64;
const USERNAME = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._@+-]*$/u;

/** Returns the name in the form in which it is shown (Unicode NFC). @throws Refusal INVALID_USERNAME */
export function checkedUsername(username: string): string {
  const name = username.normalize('NFC');
  if (name.length <= MAX_USERNAME_LENGTH && USERNAME.test(name)) return name;
  throw new Refusal(
    'INVALID_USERNAME',
    `A username must have 1 to ${MAX_USERNAME_LENGTH} characters (letters, digits and . _ @ + -) and begin with a letter or a digit.`,
  );
}

/** Returns the key of a name. Names that differ only in case or in their Unicode form (NFKC) have the same key and mean the same account. */
export const usernameKey = (username: string): string => username.normalize('NFKC').toLowerCase().normalize('NFKC');

const MAX_DISPLAY_NAME_LENGTH = 100;

/** Returns the display name without surrounding spaces; null when nothing is left. @throws Refusal INVALID_REQUEST */
export function checkedDisplayName(name: string | null): string | null {
  const trimmed = name?.normalize('NFC').trim() ?? '';
  const fault = findTextFault(trimmed, { max: MAX_DISPLAY_NAME_LENGTH });
  if (fault !== null) throw new Refusal('INVALID_REQUEST', `\`displayName\` ${fault}.`);
  return trimmed === '' ? null : trimmed;
}

/**
 * Turns a name from the directory into a display name. It is only shown, and the person cannot change it, so it is cleaned
 * and not refused: characters that a text must not contain become spaces, and a long name is cut.
 */
export const displayNameFrom = (name: string | null): string | null =>
  checkedDisplayName(
    cleanText((name ?? '').normalize('NFC').trim(), MAX_DISPLAY_NAME_LENGTH)
      .replaceAll('\uFFFD', ' ')
      .trim(),
  );

/** Namespace of the UUIDs of accounts. It never changes, so that one name always means one stream. */
const ACCOUNT_NAMESPACE = '0f0cf1c5-4c2b-4f9c-9a51-6a9f3b7f2d10';

/** Returns the id of the account with this name, whether or not it exists. Names with the same key have the same id. */
export const accountIdOf = (username: string): string => v5(usernameKey(username), ACCOUNT_NAMESPACE);
