import { backoffBetween, retry } from '../../kernel/retry.js';
import type { SubscribeOptions, SubscriptionItem } from '../../ports/event-store.port.js';
import type { LogPage, LogTail, Positions } from './log-tail.js';

/** A subscription reports its progress over unwanted events after this number of events, or after this time. */
const CHECKPOINT_EVENTS = 1000;
const CHECKPOINT_INTERVAL_MS = 1000;

export interface HistoryRange<Position> {
  readonly after: Position;
  /** The history is read at least up to here. */
  readonly target: Position;
  /** Only events of these types; null for all. */
  readonly types: ReadonlySet<string> | null;
  readonly signal: AbortSignal;
}

/** The parts that an engine provides for its subscriptions. */
export interface LogSource<Position> {
  readonly tail: LogTail<Position>;
  /** The position of the last event of the log. */
  readHead(signal: AbortSignal): Promise<Position>;
  /** The pages of a range. It may end early; the rest is then read by another call. */
  readHistory(range: HistoryRange<Position>): AsyncGenerator<LogPage<Position>>;
  /** True when the same call may succeed when the log can be reached again. */
  isTemporary(error: unknown): boolean;
}

/**
 * Reads the history page by page, and then the live events from the tail that all subscriptions share. It continues by itself when
 * the log was away.
 */
export async function* subscribeToLog<Position>(
  source: LogSource<Position>,
  options: SubscribeOptions,
): AsyncGenerator<SubscriptionItem> {
  const { tail } = source;
  const { signal } = options;
  const progress = new Progress(tail.positions, tail.positions.parse(options.after));
  const types = options.types ? new Set(options.types) : null;
  const head = await retryUntilAborted(source, () => source.readHead(signal), signal);
  if (head === null) return;
  yield* catchUp(source, progress, { target: head, types, signal });
  if (!signal.aborted) yield progress.noteCaughtUp();
  while (!signal.aborted) {
    const page = tail.eventsAfter(progress.position, types);
    const item = page && progress.advance(page);
    if (item) yield item;
    // A slow reader has fallen behind the tail and reads what has become history.
    else if (!page && tail.end !== null) yield* catchUp(source, progress, { target: tail.end, types, signal });
    else await tail.waitBeyond(tail.end === null ? null : progress.position, signal, progress.untilCheckpoint());
  }
}

/** Reads up to the target. When the connection is lost meanwhile, it continues from the same position. */
async function* catchUp<Position>(
  source: LogSource<Position>,
  progress: Progress<Position>,
  { target, types, signal }: Omit<HistoryRange<Position>, 'after'>,
): AsyncGenerator<SubscriptionItem> {
  const readPages = (): AsyncGenerator<LogPage<Position>> =>
    source.readHistory({ after: progress.position, target, types, signal });
  let pages = readPages();
  while (progress.isBefore(target) && !signal.aborted) {
    const next = await retryUntilAborted(
      source,
      () => pages.next(),
      signal,
      () => (pages = readPages()),
    );
    if (!next) return void (await pages.return(undefined));
    if (next.done) pages = readPages();
    const item = next.done ? null : progress.advance(next.value);
    if (item) yield item;
  }
}

const retryUntilAborted = <Position, T>(
  { isTemporary }: LogSource<Position>,
  call: () => Promise<T>,
  signal: AbortSignal,
  onFailure?: () => void,
): Promise<T | null> => retry(call, { while: isTemporary, signal, backoff: backoffBetween(20, 1000), onFailure });

/** The position of a subscription, and the position that its reader knows. */
class Progress<Position> {
  private told: Position;
  private untoldSince = 0;
  private untoldEvents = 0;

  constructor(
    private readonly positions: Positions<Position>,
    public position: Position,
  ) {
    this.told = position;
  }

  isBefore(target: Position): boolean {
    return this.positions.compare(target, this.position) > 0;
  }

  /** Moves past a page. Returns the item for the reader. Null if that can wait. */
  advance(page: LogPage<Position>): SubscriptionItem | null {
    if (this.isTold) this.untoldSince = Date.now();
    this.position = page.upTo;
    this.untoldEvents += page.looked;
    const cursor = this.positions.format(this.position);
    if (page.events.length > 0) return this.noteTold({ kind: 'events', events: page.events, cursor });
    if (this.isTold) return null;
    const isDue = this.untoldEvents >= CHECKPOINT_EVENTS || this.untilCheckpoint() === 0;
    return isDue ? this.noteTold({ kind: 'checkpoint', cursor }) : null;
  }

  noteCaughtUp(): SubscriptionItem {
    return this.noteTold({ kind: 'caughtUp', cursor: this.positions.format(this.position) });
  }

  /** Milliseconds until a checkpoint is due. Undefined if there is nothing to report. */
  untilCheckpoint(): number | undefined {
    return this.isTold ? undefined : Math.max(0, this.untoldSince + CHECKPOINT_INTERVAL_MS - Date.now());
  }

  private get isTold(): boolean {
    return this.positions.compare(this.told, this.position) === 0;
  }

  private noteTold(item: SubscriptionItem): SubscriptionItem {
    this.told = this.position;
    this.untoldEvents = 0;
    return item;
  }
}
