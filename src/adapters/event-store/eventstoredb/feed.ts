import { eventTypeFilter, START, type AllStreamSubscription } from '@eventstore/db-client';
import type { RecordedEvent } from '../../../kernel/events.js';
import type { LogPage } from '../../shared/log-tail.js';
import { CALL_TIMEOUT_MS, type LogClient } from './log-client.js';
import { BEGINNING, comparePositions, isAfter, type Position } from './cursor.js';
import { toEvent } from './record.js';
import { expectConfirmation, Inbox, Mark, type Arrival } from './inbox.js';

/** Number of records after which the server reports how far it has searched. */
const CHECKPOINT_RECORDS = 500;

interface FeedOptions {
  readonly after: Position;
  readonly types: ReadonlySet<string> | null;
  readonly signal: AbortSignal;
  /** Milliseconds without events after which the feed ends; null for no limit. */
  readonly quietMs: number | null;
}

interface FeedPage extends LogPage<Position> {
  /** The server said that it has no more history. */
  readonly isCaughtUp: boolean;
}

/**
 * Reads one subscription of EventStoreDB. Each page contains what has arrived since the page before, at most 1000 events or
 * about 4 MB. The feed ends when the connection ends. @throws the error of the client, if the connection ends with one
 */
export async function* readFeed(client: LogClient, options: FeedOptions): AsyncGenerator<FeedPage> {
  const subscription = subscribeToServer(client, options.after, options.types);
  const inbox = new Inbox(subscription, sizeOf);
  const confirmed = expectConfirmation(subscription, inbox, CALL_TIMEOUT_MS);
  const onAbort = (): void => inbox.endWith(null);
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    for (let upTo = options.after; !options.signal.aborted;) {
      const arrivals = await inbox.takeArrivals(options.quietMs);
      if (!arrivals || arrivals.length === 0 || options.signal.aborted) return;
      const page = toPage(arrivals, upTo, options.types);
      upTo = page.upTo;
      yield page;
    }
  } finally {
    confirmed();
    options.signal.removeEventListener('abort', onAbort);
    // This fails when there never was a connection.
    void subscription.unsubscribe().catch(() => undefined);
    subscription.destroy();
  }
}

function subscribeToServer(
  client: LogClient,
  after: Position,
  types: ReadonlySet<string> | null,
): AllStreamSubscription {
  const filter = eventTypeFilter({
    regex: types ? `^(${[...types].map(escapeRegex).join('|')})$` : String.raw`^[^\$]`,
    maxSearchWindow: CHECKPOINT_RECORDS,
    checkpointInterval: 1,
    // `push` puts the mark after the events that came before it. An error here would stop the subscription silently.
    checkpointReached: (subscription, position) => void subscription.push(new Mark('passed', position)),
  });
  const fromPosition = comparePositions(after, BEGINNING) === 0 ? START : after;
  const subscription = client.subscribeToAll({ fromPosition, filter });
  subscription.on('caughtUp', () => void subscription.push(new Mark('caughtUp', null)));
  return subscription;
}

const escapeRegex = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

function toPage(arrivals: readonly Arrival[], after: Position, types: ReadonlySet<string> | null): FeedPage {
  const events: RecordedEvent[] = [];
  const page = { upTo: after, looked: 0, isCaughtUp: false };
  for (const arrival of arrivals) {
    const position = arrival instanceof Mark ? arrival.position : (arrival.event?.position ?? null);
    page.isCaughtUp ||= arrival instanceof Mark && arrival.kind === 'caughtUp';
    page.looked += arrival instanceof Mark ? (arrival.position ? CHECKPOINT_RECORDS : 0) : 1;
    if (!position || !isAfter(position, page.upTo)) continue;
    page.upTo = position;
    const event = arrival instanceof Mark || !arrival.event ? null : toEvent(arrival.event);
    if (event && (!types || types.has(event.type))) events.push(event);
  }
  return { ...page, events };
}

/** Estimates the size of an arrival in bytes. Nearly all bytes of our largest events are in strings. */
function sizeOf(arrival: Arrival): number {
  const data = arrival instanceof Mark ? null : arrival.event?.data;
  if (typeof data !== 'object' || data === null) return String(data).length;
  return Object.values(data).reduce<number>(
    (sum, value) => sum + (typeof value === 'string' ? value.length : 100),
    500,
  );
}
