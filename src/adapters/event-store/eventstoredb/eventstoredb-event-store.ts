import type { NewEvent, RecordedEvent } from '../../../kernel/events.js';
import {
  EventStore,
  type Appended,
  type ExpectedRevision,
  type SubscribeOptions,
  type SubscriptionItem,
} from '../../../ports/event-store.port.js';
import { type LogSource, subscribeToLog } from '../../shared/log-subscription.js';
import { LogTail } from '../../shared/log-tail.js';
import { retryWhileUnavailable } from '../../shared/retry-while-unavailable.js';
import { Appender } from './appender.js';
import { LogClient, readCertificates } from './log-client.js';
import { isTemporary } from './errors.js';
import { awaitServer, type ConnectOptions, OutageReporter } from './connection.js';
import { BEGINNING, comparePositions, cursorOf, type Position, positionOf, positions } from './cursor.js';
import { parseEventStoreDbUrl } from './eventstoredb-url.js';
import { readHistory } from './history.js';
import { LogFollower } from './log-follower.js';
import { type Head, PAGE_EVENTS, readEpoch, readForward, readHead, readIdAt } from './read-log.js';
import { toEvent } from './record.js';

/** The log in EventStoreDB 22.10 or newer. A cursor is `<commit>/<prepare>`. */
export class EventStoreDbEventStore extends EventStore {
  private readonly closed = new AbortController();
  private readonly appender: Appender;
  private readonly tail = new LogTail(positions);
  private readonly follower: LogFollower;
  private known: Head | null = null;

  private constructor(
    private readonly client: LogClient,
    trouble: OutageReporter,
  ) {
    super();
    this.appender = new Appender(client, this.closed.signal);
    this.follower = new LogFollower(client, this.tail, trouble, this.closed.signal);
  }

  /** @throws StartupError, one line that names EVENTSTOREDB_URL and says what to change */
  static async connect(url: string, options: ConnectOptions): Promise<EventStoreDbEventStore> {
    const address = parseEventStoreDbUrl(url);
    const trouble = new OutageReporter(address.shown, options.log);
    const client = new LogClient(address, readCertificates(address), (error) => trouble.reportLost(error));
    try {
      await awaitServer(client, address, options);
    } catch (error) {
      await client.close();
      throw error;
    }
    return new EventStoreDbEventStore(client, trouble);
  }

  override append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<Appended> {
    return this.appender.append(stream, events, expected);
  }

  override async *readStream(stream: string, from = 0n): AsyncGenerator<RecordedEvent> {
    for (let next = from, isLast = false; !isLast;) {
      const page = await this.retryWhileUnavailable(() => readForward(this.client, stream, next));
      yield* page.flatMap((record) => toEvent(record) ?? []);
      isLast = page.length < PAGE_EVENTS;
      next = (page.at(-1)?.revision ?? next) + 1n;
    }
  }

  override subscribe(options: SubscribeOptions): AsyncIterable<SubscriptionItem> {
    const signal = AbortSignal.any([options.signal, this.closed.signal]);
    this.follower.start();
    const source: LogSource<Position> = {
      tail: this.tail,
      isTemporary,
      readHead: async (ended) => (await readHead(this.client, null, ended)).head,
      readHistory: (range) => readHistory(this.client, range),
    };
    return subscribeToLog(source, { ...options, signal });
  }

  override async head(): Promise<string | null> {
    this.known = await this.retryWhileUnavailable(() => readHead(this.client, this.known));
    const { head } = this.known;
    return comparePositions(head, BEGINNING) === 0 ? null : cursorOf(head);
  }

  override idAt(cursor: string): Promise<string | null> {
    const position = positionOf(cursor);
    return this.retryWhileUnavailable(() => readIdAt(this.client, position));
  }

  override compareCursors(a: string | null, b: string | null): number {
    return comparePositions(positionOf(a), positionOf(b));
  }

  override epoch(): Promise<string> {
    return this.retryWhileUnavailable(() => readEpoch(this.client));
  }

  /** Ends the subscriptions, finishes the appends under way and disconnects. */
  override async close(): Promise<void> {
    this.closed.abort();
    await this.appender.idle();
    await this.follower.close();
    await this.client.close();
  }

  private retryWhileUnavailable<T>(call: () => Promise<T>): Promise<T> {
    return retryWhileUnavailable(call, isTemporary, this.closed.signal);
  }
}
