import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Refusal } from '../../../kernel/errors.js';
import { addressGroup } from '../../../platform/limits/rate-limit.js';
import { usernameKey } from '../accounts/username.js';

/** The three keys under which an attempt is counted. */
interface AttemptKeys {
  /** One address, with any name. */
  readonly address: Buffer;
  /** One name from one address. */
  readonly pair: Buffer;
  /** One name, from any address. */
  readonly account: Buffer;
}

/** Hashes the parts, so that keys have the same length for any input. */
const hashKey = (...parts: readonly string[]): Buffer => createHash('sha256').update(JSON.stringify(parts)).digest();

/** Returns the keys of an attempt. An unknown name is counted like a known one, so that the counters reveal nothing. */
export function attemptKeys(address: string | null, username: string): AttemptKeys {
  const [group, name] = [addressGroup(address), usernameKey(username)];
  return { address: hashKey('address', group), pair: hashKey('pair', group, name), account: hashKey('account', name) };
}

/** Number of failures without a pause. Each further failure doubles the pause, from 1 second up to a minute. */
const FREE_FAILURES = { address: 50, pair: 5, account: 20 } as const;
const MAX_PAUSE_SECONDS = 60;
const FORGET_AFTER = '15 minutes';
const MAX_ROWS = 100_000;
const SWEEP_INTERVAL_MS = 60_000;

/** An attempt that was allowed and is counted as failed, until `undoFailure` is called. */
export interface Attempt {
  readonly keys: AttemptKeys;
  /** The keys for which it was counted. */
  readonly counted: readonly Buffer[];
  /** Remaining seconds of a pause of this address, or of this name from this address; null without such a pause. */
  readonly addressPause: number | null;
  /** Seconds for which this name can be tried only from addresses that are known for it; null without such a pause. */
  readonly accountPause: number | null;
}

const tooManyAttempts = (retryAfterSeconds: number): Refusal =>
  new Refusal('TOO_MANY_REQUESTS', `Too many failed attempts. Try again in ${retryAfterSeconds} s.`, {
    retryAfterSeconds,
  });

/** Counts one failure and sets the pause after it, unless a pause is in effect already; `epoch` means no pause. */
const COUNT_FAILURE = `
  INSERT INTO state.sign_in_failures AS f (key, failures, last_at, blocked_until) VALUES ($1, 1, now(), 'epoch')
  ON CONFLICT (key) DO UPDATE SET (failures, last_at, blocked_until) = (
    SELECT n, now(), CASE WHEN n < $2 THEN 'epoch'
      ELSE now() + least($3, power(2, least(n - $2, 20))) * interval '1 second' END
    FROM (SELECT CASE WHEN f.last_at < now() - interval '${FORGET_AFTER}' THEN 1 ELSE f.failures + 1 END AS n) AS next)
  WHERE f.blocked_until <= now() RETURNING failures`;

/**
 * Slows down the guessing of passwords, for all processes together and across restarts. An attempt is counted as failed
 * before the password is checked, and the count is undone when the password was right, so that parallel guesses gain
 * nothing. Pauses depend on the entered name and the address, not on whether the account exists.
 */
@Injectable()
export class FailedAttempts {
  private sweepAt = 0;

  constructor(private readonly dataSource: DataSource) {}

  /** Counts an attempt. During a pause it is not counted, and says so. */
  async beginAttempt(keys: AttemptKeys): Promise<Attempt> {
    await this.deleteOldRows();
    const counted: Buffer[] = [];
    for (const kind of ['address', 'pair'] as const) {
      const addressPause = await this.countFailure(keys[kind], FREE_FAILURES[kind]);
      if (addressPause !== null) return { keys, counted, addressPause, accountPause: null };
      counted.push(keys[kind]);
    }
    const accountPause = await this.countFailure(keys.account, FREE_FAILURES.account);
    if (accountPause === null) counted.push(keys.account);
    return { keys, counted, addressPause: null, accountPause };
  }

  /** @throws Refusal TOO_MANY_REQUESTS during a pause of this address, or of this name from this address */
  requireNoAddressPause({ addressPause }: Attempt): void {
    if (addressPause !== null) throw tooManyAttempts(addressPause);
  }

  /** Applies the pause of the name, for an address that is not known for it. @throws Refusal TOO_MANY_REQUESTS */
  requireNoPause({ accountPause }: Attempt): void {
    if (accountPause !== null) throw tooManyAttempts(accountPause);
  }

  /** For an attempt that could not be checked: no longer counts it for the address, so that an outage locks no address out. It still counts for the name. */
  async undoForAddress({ keys, counted }: Attempt): Promise<void> {
    await this.giveBack(counted.filter((key) => key === keys.address));
  }

  /** For an attempt that succeeded: no longer counts it as failed. A pause that others have caused goes on. */
  async undoFailure({ keys, counted, addressPause }: Attempt): Promise<void> {
    if (addressPause === null)
      await this.dataSource.query('DELETE FROM state.sign_in_failures WHERE key = $1', [keys.pair]);
    await this.giveBack(counted.filter((key) => key !== keys.pair));
  }

  private async giveBack(keys: readonly Buffer[]): Promise<void> {
    await this.dataSource.query(
      `UPDATE state.sign_in_failures SET failures = greatest(failures - 1, 0), blocked_until = 'epoch' WHERE key = ANY($1)`,
      [keys],
    );
  }

  /** Counts a failure under one key. Resolves with null, or with the remaining seconds of a pause when it was not counted. */
  private async countFailure(key: Buffer, free: number): Promise<number | null> {
    const counted: unknown[] = await this.dataSource.query(COUNT_FAILURE, [key, free, MAX_PAUSE_SECONDS]);
    if (counted.length > 0) return null;
    const [left]: { seconds: number }[] = await this.dataSource.query(
      'SELECT ceil(extract(epoch FROM blocked_until - now()))::int AS seconds FROM state.sign_in_failures WHERE key = $1',
      [key],
    );
    return Math.max(1, left?.seconds ?? 1);
  }

  /** Deletes old rows, and bounds their number, since an attacker can choose any names and addresses. */
  private async deleteOldRows(): Promise<void> {
    if (Date.now() < this.sweepAt) return;
    this.sweepAt = Date.now() + SWEEP_INTERVAL_MS;
    await this.dataSource.query(
      `DELETE FROM state.sign_in_failures WHERE last_at < now() - interval '${FORGET_AFTER}'`,
    );
    await this.dataSource.query(
      `DELETE FROM state.sign_in_failures WHERE key IN (
         SELECT key FROM state.sign_in_failures ORDER BY last_at DESC OFFSET ${MAX_ROWS})`,
    );
  }
}
