import { backoffBetween, retry } from '../../kernel/retry.js';
import { EventStoreUnavailable } from '../../ports/event-store.port.js';

/** The time for which a call is repeated while the event log is not available, in milliseconds. */
export const UNAVAILABLE_TIMEOUT_MS = 10_000;

/**
 * Repeats a call that does no harm when it is repeated, for up to 10 s or until `stopped` is aborted.
 * @throws EventStoreUnavailable after that, and any error that is not temporary at once
 */
export async function retryWhileUnavailable<T>(
  call: () => Promise<T>,
  isTemporary: (error: unknown) => boolean,
  stopped: AbortSignal,
): Promise<T> {
  const deadline = Date.now() + UNAVAILABLE_TIMEOUT_MS;
  const isWorthRetrying = (error: unknown): boolean => {
    if (!isTemporary(error)) return false;
    if (stopped.aborted || Date.now() >= deadline) throw new EventStoreUnavailable(error);
    return true;
  };
  return retry(call, { while: isWorthRetrying, backoff: backoffBetween(20, 500) });
}
