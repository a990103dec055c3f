import { Refusal } from '../../../kernel/refusal.js';
import { usernameKey } from './username.js';

/** NIST SP 800-63B: length is what counts; no rules about kinds of characters. */
export const MIN_PASSWORD_LENGTH = 12;
/** Well above the 64 that are to be possible; bounds the work of hashing. */
export const MAX_PASSWORD_LENGTH = 200;

/** @throws Refusal PASSWORD_REFUSED, which says why */
export function checkNewPassword(password: string, username: string): void {
  const length = [...password].length;
  const refuse = (why: string): never => {
    throw new Refusal('PASSWORD_REFUSED', why, { minLength: MIN_PASSWORD_LENGTH, maxLength: MAX_PASSWORD_LENGTH });
  };
  if (length < MIN_PASSWORD_LENGTH)
    refuse(`The password must have at least ${MIN_PASSWORD_LENGTH} characters. Any characters will do.`);
  if (length > MAX_PASSWORD_LENGTH) refuse(`The password must have at most ${MAX_PASSWORD_LENGTH} characters.`);
  if (usernameKey(password) === usernameKey(username)) refuse('The password must not be the username.');
}
