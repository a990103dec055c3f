import type { StreamingRead } from '@eventstore/db-client';
import { ConnectionGone, NoAnswer } from '../client/errors.js';
import { CALL_TIMEOUT_MS, type LogClient } from '../client/log-client.js';

/** What one event of 64 KiB takes, and a thousand small ones: pages stay below 20 MB. */
export const PAGE_EVENTS = 256;

/**
 * All of a read. The client waits for ever for a page that never comes, so it is given up when nothing has come for
 * 5 s; also on the signal.
 */
export async function collectRead<E>(
  client: LogClient,
  read: StreamingRead<E>,
  what: string,
  signal?: AbortSignal,
): Promise<E[]> {
  // Errors may come after the first one, when nobody else listens any more.
  read.on('error', () => undefined);
  const stop = (error: Error): void => void read.destroy(error);
  const timer = setTimeout(() => stop(new NoAnswer(what, CALL_TIMEOUT_MS)), CALL_TIMEOUT_MS);
  const onAbort = (): void => stop(new NoAnswer(`${what}, which was given up`, 0));
  signal?.addEventListener('abort', onAbort, { once: true });
  const items: E[] = [];
  let complete = false;
  try {
    for await (const item of read) {
      items.push(item);
      timer.refresh();
    }
    complete = !client.isClosed;
    if (!complete) throw new ConnectionGone();
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    // Destroying it leaves the call open at the server.
    if (!complete) void read.cancel().catch(() => undefined);
  }
  return items;
}
