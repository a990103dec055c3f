import { createHash } from 'node:crypto';
import { addressGroup } from '../../../../platform/limits/address-group.js';
import { usernameKey } from '../../domain/username.js';

/** What attempts are counted by. */
export interface AttemptKeys {
  /** One address, whichever names it tries. */
  readonly address: Buffer;
  /** One name from one address. */
  readonly pair: Buffer;
  /** One name, from wherever it is tried. */
  readonly account: Buffer;
}

/** Of one length, whatever is typed. */
const hashKey = (...parts: readonly string[]): Buffer => createHash('sha256').update(JSON.stringify(parts)).digest();

/** The same for a name that no account has: what is counted tells nothing about that. */
export function attemptKeys(address: string | null, username: string): AttemptKeys {
  const [group, name] = [addressGroup(address), usernameKey(username)];
  return { address: hashKey('address', group), pair: hashKey('pair', group, name), account: hashKey('account', name) };
}
