import { setTimeout as delay } from 'node:timers/promises';

/** Lets bytes through at a rate, evenly: what was not used earlier is not made up for. */
export class ScrubPace {
  private freeAt = 0;

  constructor(private readonly bytesPerSecond: number) {}

  /** Resolves when so many bytes may be read. @throws when the signal aborts */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const now = performance.now();
    const waitMs = this.freeAt - now;
    this.freeAt = Math.max(now, this.freeAt) + (bytes / this.bytesPerSecond) * 1_000;
    if (waitMs > 0) await delay(waitMs, undefined, { signal });
  }
}
