import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../../kernel/retry.js';
import { EventStoreUnavailable } from '../../ports/event-store.port.js';

/** How long a call goes on trying when the log is away, in milliseconds. */
export const UNAVAILABLE_TIMEOUT_MS = 10_000;

/** Repeats a call that is harmless to repeat. @throws EventStoreUnavailable after 10 s, or what is not temporary */
export async function retryWhileUnavailable<T>(
  call: () => Promise<T>,
  isTemporary: (error: unknown) => boolean,
  stopped: AbortSignal,
): Promise<T> {
  for (let attempt = 1, deadline = Date.now() + UNAVAILABLE_TIMEOUT_MS; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!isTemporary(error)) throw error;
      if (stopped.aborted || Date.now() >= deadline) throw new EventStoreUnavailable(error);
    }
    await delay(backoffMs(attempt, 20, 500, Math.random()));
  }
}
