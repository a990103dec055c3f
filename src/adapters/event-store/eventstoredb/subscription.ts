import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs } from '../../../kernel/retry.js';
import type { SubscribeOptions, SubscriptionItem } from '../../../ports/event-store.port.js';
import { comparePositions, cursorOf, isAfter, type Position, positionOf } from './cursor.js';
import { isTemporary } from './errors.js';
import { readFeed } from './feed.js';
import type { LogClient } from './log-client.js';
import type { LogTail } from './log-tail.js';
import { type LogPage, readHead, readPage } from './read-log.js';

/** After so many milliseconds without news the rest of the history is looked for page by page. */
const QUIET_TIMEOUT_MS = 500;

interface HistoryOptions {
  readonly after: Position;
  /** The history is read at least up to here. */
  readonly target: Position;
  readonly types: ReadonlySet<string> | null;
  readonly signal: AbortSignal;
}

/**
 * The history after a position. A subscription with a filter leaves it to the server to look through what is not
 * wanted, but does not say how far it is when its last window is not full; the few events that then are left to the
 * target are read without a filter.
 */
async function* readHistory(client: LogClient, options: HistoryOptions): AsyncGenerator<LogPage> {
  const { target, types, signal } = options;
  let after = options.after;
  let isEndNear = false;
  while (isAfter(target, after) && !signal.aborted) {
    const page = limitToTarget(await readPage(client, after, types, signal), target);
    if (!isAfter(page.upTo, after)) throw new Error('The event log ends before its last event');
    yield page;
    after = page.upTo;
    if (isEndNear || !isAfter(target, after)) continue;
    for await (const more of readFeed(client, { after, types, signal, quietMs: QUIET_TIMEOUT_MS })) {
      const clamped = limitToTarget(more, target);
      if (isAfter(clamped.upTo, after)) yield clamped;
      after = clamped.upTo;
      isEndNear ||= more.isCaughtUp;
      if (isEndNear || !isAfter(target, after)) break;
    }
  }
}

/** Behind the target may be records that no subscriber sees; a cursor beyond the last event would confuse. */
function limitToTarget(page: LogPage, target: Position): LogPage {
  if (!isAfter(page.upTo, target)) return page;
  const last = page.events.at(-1);
  const seen = last ? positionOf(last.cursor) : target;
  return { ...page, upTo: isAfter(seen, target) ? seen : target };
}

/** Progress over events of no interest is told after so many events, or when it is so many milliseconds old. */
const CHECKPOINT_EVENTS = 1000;
const CHECKPOINT_MS = 1000;

/** How far a subscription is, and how far its reader knows it to be. */
class Progress {
  private told: Position;
  private untoldSince = 0;
  private untoldEvents = 0;

  constructor(public position: Position) {
    this.told = position;
  }

  /** Moves past a page; what is to be told of it, null when that can wait. */
  advance(page: LogPage): SubscriptionItem | null {
    if (this.isTold) this.untoldSince = Date.now();
    this.position = page.upTo;
    this.untoldEvents += page.looked;
    const cursor = cursorOf(this.position);
    if (page.events.length > 0) return this.tell({ kind: 'events', events: page.events, cursor });
    if (this.isTold) return null;
    const isDue = this.untoldEvents >= CHECKPOINT_EVENTS || this.untilCheckpoint() === 0;
    return isDue ? this.tell({ kind: 'checkpoint', cursor }) : null;
  }

  caughtUp(): SubscriptionItem {
    return this.tell({ kind: 'caughtUp', cursor: cursorOf(this.position) });
  }

  /** Milliseconds; undefined when there is nothing to tell. */
  untilCheckpoint(): number | undefined {
    return this.isTold ? undefined : Math.max(0, this.untoldSince + CHECKPOINT_MS - Date.now());
  }

  private get isTold(): boolean {
    return comparePositions(this.told, this.position) === 0;
  }

  private tell(item: SubscriptionItem): SubscriptionItem {
    this.told = this.position;
    this.untoldEvents = 0;
    return item;
  }
}

interface LogSource {
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
