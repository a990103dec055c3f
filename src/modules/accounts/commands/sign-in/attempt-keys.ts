import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
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

/** A customer of an internet provider has a whole /64 of IPv6 addresses. */
export function addressGroup(address: string | null): string {
  if (address === null || !isIPv6(address)) return address ?? 'none';
  const [head = '', tail = ''] = address.split('::', 2);
  const [before, after] = [head, tail].map((part) => part.split(':').filter(Boolean)) as [string[], string[]];
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16)).join(':');
}

/** Of one length, whatever is typed. */
const keyOf = (...parts: readonly string[]): Buffer => createHash('sha256').update(JSON.stringify(parts)).digest();

/** The same for a name that no account has: what is counted tells nothing about that. */
export function attemptKeys(address: string | null, username: string): AttemptKeys {
  const [group, name] = [addressGroup(address), usernameKey(username)];
  return { address: keyOf('address', group), pair: keyOf('pair', group, name), account: keyOf('account', name) };
}
