import type { DatabaseSettings } from '../../../ports/database.port.js';
import { Locks } from '../../../ports/locks.port.js';
import type { PgSession } from '../../shared/pg-session.js';
import { countOtherProcesses, makeLockSession, releaseLock, takeFreeLocks } from './lock-session.js';

/** How often those who wait try again. */
const RETRY_INTERVAL_MS = 500;
/** How often a session that only holds locks is seen to live: sooner than the server gives up on us. */
const CHECK_INTERVAL_MS = 2_000;

interface Waiting {
  readonly grant: (held: AbortController) => void;
  readonly onTaken: () => void;
}

/** PostgreSQL's advisory locks: held by a session, so they end with the process. */
export class PostgresLocks extends Locks {
  /** Those of this process who wait for a name take turns. */
  private readonly waiting = new Map<string, Waiting[]>();
  private readonly held = new Map<string, AbortController>();
  private readonly session: PgSession;
  private timer: NodeJS.Timeout | undefined;
  private trying = false;
  private again = false;
  private closed = false;

  constructor(settings: DatabaseSettings) {
    super();
    this.session = makeLockSession(settings, () => this.lost());
  }

  override async hold<T>(
    name: string,
    signal: AbortSignal,
    work: (held: AbortSignal) => Promise<T>,
    onTaken: () => void = () => undefined,
  ): Promise<T | null> {
    const lock = await this.wait(name, signal, onTaken);
    if (!lock) return null;
    try {
      return await work(AbortSignal.any([signal, lock.signal]));
    } finally {
      this.letGo(name, lock);
    }
  }

  override async isAlone(): Promise<boolean> {
    return (await this.session.use(countOtherProcesses)) === 0;
  }

  override async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.lost();
    await this.session.idle();
    await this.session.close();
  }

  private wait(name: string, signal: AbortSignal, onTaken: () => void): Promise<AbortController | null> {
    if (signal.aborted || this.closed) return Promise.resolve(null);
    return new Promise((resolve) => {
      const queue = this.waiting.get(name) ?? [];
      const waiting: Waiting = { onTaken: once(onTaken), grant: (lock) => finish(lock) };
      const finish = (lock: AbortController | null): void => {
        signal.removeEventListener('abort', leave);
        resolve(lock);
      };
      const leave = (): void => {
        remove(this.waiting, name, waiting);
        finish(null);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.waiting.set(name, [...queue, waiting]);
      this.attempt();
    });
  }

  /** Tries now, or as soon as the try under way has ended. */
  private attempt(): void {
    clearTimeout(this.timer);
    this.again = true;
    if (!this.trying && !this.closed) void this.tryAll();
  }

  private async tryAll(): Promise<void> {
    this.trying = true;
    while (this.again && !this.closed) {
      this.again = false;
      // When the database is away the next try may find it.
      await this.tryOnce().catch(() => undefined);
    }
    this.trying = false;
    const ms = this.waiting.size > 0 ? RETRY_INTERVAL_MS : CHECK_INTERVAL_MS;
    if (!this.closed) this.timer = setTimeout(() => this.attempt(), ms);
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

  /** To who waits longest; to nobody, and it is free again. */
  private handOver(name: string, lock: AbortController): void {
    const next = this.waiting.get(name)?.[0];
    if (next) {
      remove(this.waiting, name, next);
      next.grant(lock);
      return;
    }
    this.held.delete(name);
    // A session that is lost has let go by itself.
    this.session.use((client) => releaseLock(client, name)).catch(() => undefined);
  }

  private letGo(name: string, lock: AbortController): void {
    if (this.held.get(name) === lock) this.handOver(name, lock);
  }

  private lost(): void {
    const held = [...this.held.values()];
    this.held.clear();
    for (const lock of held) lock.abort();
    if (!this.closed) this.attempt();
  }
}

function remove(waiting: Map<string, Waiting[]>, name: string, one: Waiting): void {
  const left = (waiting.get(name) ?? []).filter((other) => other !== one);
  if (left.length > 0) waiting.set(name, left);
  else waiting.delete(name);
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
