import type { DatabaseSettings } from '../../../ports/database.port.js';
import { type HoldOptions, Locks } from '../../../ports/locks.port.js';
import type { PgSession } from '../../shared/pg-session.js';
import { countOtherProcesses, makeLockSession, releaseLock, takeFreeLocks } from './lock-session.js';

/** Interval at which waiting callers try again. */
const RETRY_INTERVAL_MS = 500;
/**
 * Interval at which the session is checked when nothing waits: shorter than the time after which the server drops it.
 */
const CHECK_INTERVAL_MS = 2_000;

interface Waiting {
  readonly grantLock: (held: AbortController) => void;
  readonly onTaken: () => void;
}

/** Advisory locks of PostgreSQL. A session holds them, so they end with the process. */
export class PostgresLocks extends Locks {
  /** The callers in this process that wait for each name, in the order in which they came. */
  private readonly waiting = new Map<string, Waiting[]>();
  private readonly held = new Map<string, AbortController>();
  private readonly session: PgSession;
  private timer: NodeJS.Timeout | undefined;
  private isTrying = false;
  private mustTryAgain = false;
  private closed = false;

  constructor(settings: DatabaseSettings) {
    super();
    this.session = makeLockSession(settings, () => this.loseAll());
  }

  override async hold<T>(
    name: string,
    work: (held: AbortSignal) => Promise<T>,
    { signal, onTaken = () => undefined }: HoldOptions = {},
  ): Promise<T | null> {
    const lock = await this.waitForLock(name, signal, onTaken);
    if (!lock) return null;
    try {
      return await work(signal ? AbortSignal.any([signal, lock.signal]) : lock.signal);
    } finally {
      this.endHold(name, lock);
    }
  }

  override async isAlone(): Promise<boolean> {
    return (await this.session.use(countOtherProcesses)) === 0;
  }

  override async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.loseAll();
    await this.session.idle();
    await this.session.close();
  }

  private waitForLock(
    name: string,
    signal: AbortSignal | undefined,
    onTaken: () => void,
  ): Promise<AbortController | null> {
    if (signal?.aborted || this.closed) return Promise.resolve(null);
    return new Promise((resolve) => {
      const queue = this.waiting.get(name) ?? [];
      const waiting: Waiting = { onTaken: callOnce(onTaken), grantLock: (lock) => finish(lock) };
      const finish = (lock: AbortController | null): void => {
        signal?.removeEventListener('abort', leave);
        resolve(lock);
      };
      const leave = (): void => {
        removeWaiting(this.waiting, name, waiting);
        finish(null);
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.waiting.set(name, [...queue, waiting]);
      this.trySoon();
    });
  }

  /** Tries to take the wanted locks now, or as soon as the attempt under way has ended. */
  private trySoon(): void {
    clearTimeout(this.timer);
    this.mustTryAgain = true;
    if (!this.isTrying && !this.closed) void this.tryAll();
  }

  private async tryAll(): Promise<void> {
    this.isTrying = true;
    while (this.mustTryAgain && !this.closed) {
      this.mustTryAgain = false;
      // When the database is away, the next attempt may reach it.
      await this.tryOnce().catch(() => undefined);
    }
    this.isTrying = false;
    const ms = this.waiting.size > 0 ? RETRY_INTERVAL_MS : CHECK_INTERVAL_MS;
    if (!this.closed) this.timer = setTimeout(() => this.trySoon(), ms);
  }

  private async tryOnce(): Promise<void> {
    const wanted = [...this.waiting.keys()].filter((name) => !this.held.has(name));
    const taken = new Set(await this.session.use((client) => takeFreeLocks(client, wanted)));
    for (const name of wanted) {
      if (taken.has(name)) this.grant(name);
      else for (const { onTaken } of this.waiting.get(name) ?? []) onTaken();
    }
  }

  private grant(name: string): void {
    const lock = new AbortController();
    this.held.set(name, lock);
    this.handOver(name, lock);
  }

  /** Passes the lock to the caller that has waited longest, or releases it. */
  private handOver(name: string, lock: AbortController): void {
    const next = this.waiting.get(name)?.[0];
    if (next) {
      removeWaiting(this.waiting, name, next);
      next.grantLock(lock);
      return;
    }
    this.held.delete(name);
    // If the session is lost, its locks are released anyway.
    this.session.use((client) => releaseLock(client, name)).catch(() => undefined);
  }

  private endHold(name: string, lock: AbortController): void {
    if (this.held.get(name) === lock) this.handOver(name, lock);
  }

  private loseAll(): void {
    const held = [...this.held.values()];
    this.held.clear();
    for (const lock of held) lock.abort();
    if (!this.closed) this.trySoon();
  }
}

function removeWaiting(waiting: Map<string, Waiting[]>, name: string, one: Waiting): void {
  const left = (waiting.get(name) ?? []).filter((other) => other !== one);
  if (left.length > 0) waiting.set(name, left);
  else waiting.delete(name);
}

function callOnce(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
