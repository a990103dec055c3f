import type { Pool } from 'pg';
import type { SubscribeOptions, SubscriptionItem } from '../../../ports/event-store.port.js';
import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../../../kernel/retry.js';
import { isTemporary } from './connection.js';
import { type LogPage, positionOf, readHead, readLog } from './read-log.js';
import type { LogTail } from './log-tail.js';

/** Progress over events of no interest is told after so many events, or when it is so many milliseconds old. */
const CHECKPOINT_EVENTS = 1000n;
const CHECKPOINT_MS = 1000;

export interface LogSource {
  readonly pool: Pool;
  readonly tail: LogTail;
}

/** History page by page, then live from the tail that all subscriptions share. */
export async function* subscribe(source: LogSource, options: SubscribeOptions): AsyncGenerator<SubscriptionItem> {
  const types = options.types ? new Set(options.types) : null;
  const progress = new Progress(positionOf(options.after));
  const history = await retryUntilAborted(() => readHead(source.pool), options.signal);
  if (history === null) return;
  while (progress.position < history && !options.signal.aborted) {
    const item = progress.advance(await nextPage(source, progress.position, options));
    if (item) yield item;
  }
  if (!options.signal.aborted) yield progress.caughtUp();
  while (!options.signal.aborted) {
    const page = source.tail.after(progress.position, types) ?? (await nextPage(source, progress.position, options));
    const item = progress.advance(page);
    if (item) yield item;
    else await source.tail.beyond(progress.position, options.signal, progress.untilCheckpoint());
  }
}

/** How far a subscription is, and how far its reader knows it to be. */
class Progress {
  private told: bigint;
  private untoldSince = 0;

  constructor(public position: bigint) {
    this.told = position;
  }

  /** Moves past a page; what is to be told of it, null when that can wait. */
  advance(page: LogPage | null): SubscriptionItem | null {
    if (!page) return null;
    if (this.told === this.position) this.untoldSince = Date.now();
    this.position = page.upTo;
    const cursor = String(this.position);
    if (page.events.length > 0) return this.tell({ kind: 'events', events: page.events, cursor });
    const due = this.position - this.told >= CHECKPOINT_EVENTS || this.untilCheckpoint() === 0;
    return due ? this.tell({ kind: 'checkpoint', cursor }) : null;
  }

  caughtUp(): SubscriptionItem {
    return this.tell({ kind: 'caughtUp', cursor: String(this.position) });
  }

  /** Milliseconds; undefined when there is nothing to tell. */
  untilCheckpoint(): number | undefined {
    if (this.told === this.position) return undefined;
    return Math.max(0, this.untoldSince + CHECKPOINT_MS - Date.now());
  }

  private tell(item: SubscriptionItem): SubscriptionItem {
    this.told = this.position;
    return item;
  }
}

function nextPage(source: LogSource, position: bigint, { types, signal }: SubscribeOptions): Promise<LogPage | null> {
  return retryUntilAborted(() => readLog(source.pool, position, types), signal);
}

/** Goes on trying while the database is away; null when the signal came first. */
async function retryUntilAborted<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T | null> {
  for (let attempt = 1; !signal.aborted; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!isTemporary(error)) throw error;
    }
    await delay(backoffMs(attempt, 20, 1000, Math.random()), undefined, { signal }).catch(() => undefined);
  }
  return null;
}
