import type { ReadModelChanges } from '../eventsourcing/read-model-changes.js';

/** Minimum time between two loads. Changes that happen within it are reported together. */
const MIN_INTERVAL_MS = 100;
/** When more keys than this wait for a slow client, they are dropped, and everything is loaded again instead. */
const MAX_WAITING_KEYS = 500;

/** Loads the items to send for the changed rows with these keys. The keys are null when too many rows have changed. */
type Load<T> = (keys: readonly string[] | null) => Promise<readonly T[]>;

interface StreamOptions {
  /** True when a key is relevant to this client. Every key is when this is left out. */
  readonly wants?: (key: string) => boolean;
  /** True when everything is loaded once at the start, before anything has changed. The default is false. */
  readonly atOnce?: boolean;
}

/**
 * The changes of one read model for one client of a subscription. While the client is slow, several changes of one row
 * are combined. So the stream keeps a limited number of keys, and the client always gets the latest state in the end.
 * The stream stays open until `return` or `throw` is called. `next` fails with the error of a load that fails.
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

  /** Requests another load with null as keys, because the last one did not return everything. */
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
      // A timer may fire slightly too early, so each round of the loop sets a new one.
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
