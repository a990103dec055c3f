import type { ReadModelChanges } from '../eventsourcing/read-model-changes.js';

/** Changes that come closer together are told as one. */
const MIN_INTERVAL_MS = 100;
/** With more changed rows than this waiting for a slow client, it hears that there were many. */
const MAX_WAITING_KEYS = 500;

/** Reads what is to be told about changed rows; null when they were too many to name. */
type Load<T> = (keys: readonly string[] | null) => Promise<readonly T[]>;

interface StreamOptions {
  /** Which keys matter to this client. */
  readonly wants?: (key: string) => boolean;
  /** Load once at the start, before anything has changed. */
  readonly atOnce?: boolean;
}

/**
 * The changes of a read model for one client, as a subscription tells them. Changes of one row are coalesced while
 * the client is slow, so it holds a bounded number of keys and always ends up with the latest state.
 */
export class ChangeStream<T> implements AsyncIterableIterator<T> {
  private readonly keys = new Set<string>();
  private many = false;
  private loaded: T[] = [];
  private closed = false;
  private notBefore = 0;
  private wake: () => void = () => undefined;
  private readonly unsubscribe: () => void;

  constructor(
    changes: ReadModelChanges,
    projection: string,
    private readonly load: Load<T>,
    { wants = () => true, atOnce = false }: StreamOptions = {},
  ) {
    this.many = atOnce;
    this.unsubscribe = changes.subscribe(projection, (keys) =>
      this.noteChanges(keys === null ? null : keys.filter(wants)),
    );
  }

  async next(): Promise<IteratorResult<T>> {
    while (!this.closed) {
      const item = this.loaded.shift();
      if (item !== undefined) return { done: false, value: item };
      await this.waitForChange();
      await this.waitForInterval();
      if (!this.closed) this.loaded = [...(await this.load(this.takeKeys()))];
    }
    return { done: true, value: undefined };
  }

  return(): Promise<IteratorResult<T>> {
    this.closed = true;
    this.loaded = [];
    this.unsubscribe();
    this.wake();
    return Promise.resolve({ done: true, value: undefined });
  }

  async throw(error: unknown): Promise<IteratorResult<T>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** There is more to load than was loaded. */
  loadAgain(): void {
    this.noteChanges(null);
  }

  private noteChanges(keys: readonly string[] | null): void {
    for (const key of keys ?? []) this.keys.add(key);
    if (keys === null || this.keys.size > MAX_WAITING_KEYS) this.many = true;
    if (this.many || this.keys.size > 0) this.wake();
  }

  private takeKeys(): readonly string[] | null {
    const keys = this.many ? null : [...this.keys];
    this.keys.clear();
    this.many = false;
    this.notBefore = Date.now() + MIN_INTERVAL_MS;
    return keys;
  }

  private async waitForChange(): Promise<void> {
    while (!this.closed && !this.many && this.keys.size === 0) await this.waitForWake();
  }

  private async waitForInterval(): Promise<void> {
    while (!this.closed && Date.now() < this.notBefore) {
      // A timer may come a little early, so each round has one of its own.
      const timer = setTimeout(() => this.wake(), this.notBefore - Date.now());
      await this.waitForWake();
      clearTimeout(timer);
    }
  }

  private waitForWake(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }
}
