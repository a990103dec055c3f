import { type HoldOptions, Locks } from '../../src/ports/locks.port.js';

/** Locks among those who share this object: turns in the order of asking. */
export class MemoryLocks extends Locks {
  private readonly last = new Map<string, Promise<unknown>>();

  override async hold<T>(
    name: string,
    work: (held: AbortSignal) => Promise<T>,
    { signal = new AbortController().signal }: HoldOptions = {},
  ): Promise<T | null> {
    const before = this.last.get(name) ?? Promise.resolve();
    const turn = before.then(() => (signal.aborted ? null : work(signal)));
    this.last.set(
      name,
      turn.catch(() => undefined),
    );
    return turn;
  }

  override isAlone(): Promise<boolean> {
    return Promise.resolve(true);
  }

  override close(): Promise<void> {
    return Promise.resolve();
  }
}
