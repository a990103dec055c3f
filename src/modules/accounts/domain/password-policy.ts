import { Refusal } from '../../../kernel/refusal.js';
import { usernameKey } from './username.js';

/** NIST SP 800-63B: length is what counts; no rules about kinds of characters. */
export const MIN_PASSWORD = 12;
/** Well above the 64 that are to be possible; bounds the work of hashing. */
export const MAX_PASSWORD = 200;

/** @throws Refusal PASSWORD_REFUSED, which says why */
export function checkNewPassword(password: string, username: string): void {
  const length = [...password].length;
  const refuse = (why: string): never => {
    throw new Refusal('PASSWORD_REFUSED', why, { minLength: MIN_PASSWORD, maxLength: MAX_PASSWORD });
  };
  if (length < MIN_PASSWORD)
    refuse(`The password must have at least ${MIN_PASSWORD} characters. Any characters will do.`);
  if (length > MAX_PASSWORD) refuse(`The password must have at most ${MAX_PASSWORD} characters.`);
  if (usernameKey(password) === usernameKey(username)) refuse('The password must not be the username.');
}
