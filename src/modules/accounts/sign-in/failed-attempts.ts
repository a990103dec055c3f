import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Refusal } from '../../../kernel/errors.js';
import { addressGroup } from '../../../platform/limits/rate-limit.js';
import { usernameKey } from '../accounts/username.js';

/** What attempts are counted by. */
interface AttemptKeys {
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

/** Failures that cost nothing. After them each further one makes the pause longer: 1 s, 2 s, 4 s … up to a minute. */
const FREE_FAILURES = { address: 50, pair: 5, account: 20 } as const;
const MAX_PAUSE_SECONDS = 60;
const FORGET_AFTER = '15 minutes';
const MAX_ROWS = 100_000;
const SWEEP_INTERVAL_MS = 60_000;

/** An attempt that was let through so far: whether it counts as failed is known when it `succeeded`, or not. */
export interface Attempt {
  readonly keys: AttemptKeys;
  /** For so many seconds nobody may try this name from an address that is not known for it; null for no such pause. */
  readonly accountPause: number | null;
}

const tooManyAttempts = (retryAfterSeconds: number): Refusal =>
  new Refusal('TOO_MANY_REQUESTS', `Too many failed attempts. Try again in ${retryAfterSeconds} s.`, {
    retryAfterSeconds,
  });

/** Counts one failure and sets the pause that follows it, unless there is a pause already; `epoch` stands for none. */
const COUNT_FAILURE = `
  INSERT INTO state.sign_in_failures AS f (key, failures, last_at, blocked_until) VALUES ($1, 1, now(), 'epoch')
  ON CONFLICT (key) DO UPDATE SET (failures, last_at, blocked_until) = (
    SELECT n, now(), CASE WHEN n < $2 THEN 'epoch'
      ELSE now() + least($3, power(2, least(n - $2, 20))) * interval '1 second' END
    FROM (SELECT CASE WHEN f.last_at < now() - interval '${FORGET_AFTER}' THEN 1 ELSE f.failures + 1 END AS n) AS next)
  WHERE f.blocked_until <= now() RETURNING failures`;

/**
 * Slows down guessing, in all processes together and across restarts. An attempt is counted before its password is
 * checked and given back when it was right, so guesses made side by side gain nothing. Pauses depend on what was typed
 * and from where, not on whether there is such an account.
 */
@Injectable()
export class FailedAttempts {
  private sweepAt = 0;

  constructor(private readonly dataSource: DataSource) {}

  /** @throws Refusal TOO_MANY_REQUESTS while this address, or this name from this address, has to pause */
  async beginAttempt(keys: AttemptKeys): Promise<Attempt> {
    await this.deleteOldRows();
    for (const kind of ['address', 'pair'] as const) {
      const pause = await this.countFailure(keys[kind], FREE_FAILURES[kind]);
      if (pause !== null) throw tooManyAttempts(pause);
    }
    return { keys, accountPause: await this.countFailure(keys.account, FREE_FAILURES.account) };
  }

  /** @throws Refusal TOO_MANY_REQUESTS for an attempt that has to wait although nothing is wrong with its address */
  requireNoPause({ accountPause }: Attempt): void {
    if (accountPause !== null) throw tooManyAttempts(accountPause);
  }

  /** Nobody could say whether it was right. So that an outage keeps nobody out at this address; each name is counted. */
  async undoForAddress({ keys }: Attempt): Promise<void> {
    await this.giveBack([keys.address]);
  }

  async undoFailure({ keys, accountPause }: Attempt): Promise<void> {
    await this.dataSource.query('DELETE FROM state.sign_in_failures WHERE key = $1', [keys.pair]);
    const counted = accountPause === null ? [keys.address, keys.account] : [keys.address];
    await this.giveBack(counted);
  }

  private async giveBack(keys: readonly Buffer[]): Promise<void> {
    await this.dataSource.query(
      `UPDATE state.sign_in_failures SET failures = greatest(failures - 1, 0), blocked_until = 'epoch' WHERE key = ANY($1)`,
      [keys],
    );
  }

  /** Null when it was counted, else the seconds that remain of a pause. */
  private async countFailure(key: Buffer, free: number): Promise<number | null> {
    const counted: unknown[] = await this.dataSource.query(COUNT_FAILURE, [key, free, MAX_PAUSE_SECONDS]);
    if (counted.length > 0) return null;
    const [left]: { seconds: number }[] = await this.dataSource.query(
      'SELECT ceil(extract(epoch FROM blocked_until - now()))::int AS seconds FROM state.sign_in_failures WHERE key = $1',
      [key],
    );
    return Math.max(1, left?.seconds ?? 1);
  }

  /** Names and addresses are the attacker's to choose, so their number is bounded. */
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
