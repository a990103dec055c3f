import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../../../../kernel/retry.js';
import type { SubscribeOptions, SubscriptionItem } from '../../../../ports/event-store.port.js';
import { isTemporary } from '../client/errors.js';
import type { LogClient } from '../client/log-client.js';
import { isAfter, positionOf, type Position } from '../cursor.js';
import { readHead, type LogPage } from '../read/read-log.js';
import { readHistory } from './history.js';
import { Progress } from './progress.js';
import type { LogTail } from './tail.js';

export interface LogSource {
  readonly client: LogClient;
  readonly tail: LogTail;
}

/** History page by page, then live from the tail that all subscriptions share. */
export async function* subscribe(source: LogSource, options: SubscribeOptions): AsyncGenerator<SubscriptionItem> {
  const progress = new Progress(positionOf(options.after));
  const types = options.types ? new Set(options.types) : null;
  const { signal } = options;
  source.tail.start();
  const head = await retryUntilAborted(() => readHead(source.client, null, signal), signal);
  if (!head) return;
  yield* catchUp(source.client, progress, head.head, types, signal);
  if (!signal.aborted) yield progress.caughtUp();
  while (!signal.aborted) {
    const page = source.tail.after(progress.position, types);
    const item = page && progress.advance(page);
    if (item) yield item;
    // A reader that was slow has lost the tail and reads the history that it has become.
    else if (!page && source.tail.end) yield* catchUp(source.client, progress, source.tail.end, types, signal);
    else await source.tail.beyond(source.tail.end && progress.position, signal, progress.untilCheckpoint());
  }
}

/** Reads up to the target; goes on where it was when the connection was lost meanwhile. */
async function* catchUp(
  client: LogClient,
  progress: Progress,
  target: Position,
  types: ReadonlySet<string> | null,
  signal: AbortSignal,
): AsyncGenerator<SubscriptionItem> {
  const pages = (): AsyncGenerator<LogPage> => readHistory(client, { after: progress.position, target, types, signal });
  for (let history = pages(); isAfter(target, progress.position) && !signal.aborted;) {
    const next = await retryUntilAborted(
      () => history.next(),
      signal,
      () => (history = pages()),
    );
    if (!next) return void (await history.return(undefined));
    if (next.done) history = pages();
    const item = next.done ? null : progress.advance(next.value);
    if (item) yield item;
  }
}

/** Goes on trying while the log is away; null when the signal came first. */
async function retryUntilAborted<T>(
  call: () => Promise<T>,
  signal: AbortSignal,
  prepare?: () => void,
): Promise<T | null> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!isTemporary(error)) throw error;
    }
    await delay(backoffMs(attempt, 20, 1000, Math.random()), undefined, { signal }).catch(() => undefined);
    prepare?.();
  }
  return null;
}
