import { v5 } from 'uuid';
import { Refusal } from '../../../kernel/errors.js';

/** Longest username, in characters. */
const MAX_USERNAME_LENGTH = 64;
const USERNAME = /^[\p{L}\p{N}][\p{L}\p{N}\p{M}._@+-]*$/u;

/** The name in the form in which it is shown (NFC). @throws Refusal INVALID_USERNAME */
export function checkedUsername(username: string): string {
  const name = username.normalize('NFC');
  if (name.length <= MAX_USERNAME_LENGTH && USERNAME.test(name)) return name;
  throw new Refusal(
    'INVALID_USERNAME',
    `A username has 1 to ${MAX_USERNAME_LENGTH} letters, digits and . _ @ + - and begins with a letter or digit.`,
  );
}

/** The same for names that only differ in case, or in how Unicode writes them (NFKC): they are one account. */
export const usernameKey = (username: string): string => username.normalize('NFKC').toLowerCase().normalize('NFKC');

const MAX_DISPLAY_NAME_LENGTH = 100;

/** Without spaces around it; null when nothing is left. @throws Refusal INVALID_REQUEST */
export function checkedDisplayName(name: string | null): string | null {
  const trimmed = name?.normalize('NFC').trim() ?? '';
  if (trimmed.length > MAX_DISPLAY_NAME_LENGTH || /\p{Cc}/u.test(trimmed)) {
    throw new Refusal(
      'INVALID_REQUEST',
      `\`displayName\` must be at most ${MAX_DISPLAY_NAME_LENGTH} characters, without control characters.`,
    );
  }
  return trimmed === '' ? null : trimmed;
}

/** What somebody else calls a person, made fit to be shown here. */
export const displayNameFrom = (name: string | null): string | null =>
  checkedDisplayName(
    (name ?? '')
      .normalize('NFC')
      .replaceAll(/\p{Cc}/gu, ' ')
      .trim()
      .slice(0, MAX_DISPLAY_NAME_LENGTH),
  );

/** Namespace of the ids of accounts: one name, one stream. Never changes. */
const ACCOUNT_NAMESPACE = '0f0cf1c5-4c2b-4f9c-9a51-6a9f3b7f2d10';

/** Id of the account of this name, whether there is one or not: names that mean the same give the same. */
export const accountIdOf = (username: string): string => v5(usernameKey(username), ACCOUNT_NAMESPACE);
