import type { Pool, PoolClient } from 'pg';
import { Batcher } from '../../../kernel/batcher.js';
import type { NewEvent, RecordedEvent } from '../../../kernel/events.js';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import {
  type Appended,
  EventStore,
  EventStoreUnavailable,
  type ExpectedRevision,
  RevisionConflict,
  type SubscribeOptions,
  type SubscriptionItem,
} from '../../../ports/event-store.port.js';
import { checkAppend } from '../../shared/checked-append.js';
import { type LogSource, subscribeToLog } from '../../shared/log-subscription.js';
import { LogTail } from '../../shared/log-tail.js';
import { isTemporary, makePool, retryWhileUnavailable } from './connection.js';
import { LogFollower } from './log-follower.js';
import {
  positions,
  readEpoch,
  readHead,
  readHistory,
  readIdAt,
  readStreams,
  type StreamPage,
  type StreamPlace,
} from './read-log.js';

/** A serialized append. `expected` is -2 for any revision, -1 for a new stream, or else a revision. */
interface SerializedAppend {
  readonly stream: string;
  readonly expected: bigint;
  readonly ids: readonly string[];
  readonly types: readonly string[];
  readonly data: readonly string[];
  readonly metadata: readonly string[];
  /** The time when each event was recorded, in ISO 8601. Null stands for the current time. */
  readonly recorded: readonly (string | null)[];
  readonly bytes: number;
}

/** `revision` is null in a conflict with a stream that does not exist. */
type AppendOutcome =
  | { readonly outcome: 'appended' | 'repeated'; readonly revision: string; readonly position: string }
  | { readonly outcome: 'conflict'; readonly revision: string | null }
  | { readonly outcome: 'clash' };

const APPEND_SQL = `
SELECT outcome, revision, position
FROM log.append($1::text[], $2::bigint[], $3::int[], $4::uuid[], $5::text[], $6::json[], $7::json[], $8::timestamptz[])`;

/** Records several appends in one transaction. The outcomes are in the order of the appends. */
async function appendGroup(
  pool: Pool | PoolClient,
  group: readonly SerializedAppend[],
): Promise<readonly AppendOutcome[]> {
  const values = [
    group.map(({ stream }) => stream),
    group.map(({ expected }) => String(expected)),
    group.map(({ ids }) => ids.length),
    group.flatMap(({ ids }) => ids),
    group.flatMap(({ types }) => types),
    group.flatMap(({ data }) => data),
    group.flatMap(({ metadata }) => metadata),
    group.flatMap(({ recorded }) => recorded),
  ];
  const { rows } = await pool.query<AppendOutcome>({ name: 'append', text: APPEND_SQL, values });
  return rows;
}

const ANY_REVISION = -2n;
const NO_STREAM = -1n;

/** Checks and serializes an append for `log.append`. */
function serializeAppend(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): SerializedAppend {
  const recorded = events.map(({ recordedAt }) => recordedAt?.toISOString() ?? null);
  return { ...checkAppend(stream, events, expected), expected: toRevisionNumber(expected), recorded };
}

function toRevisionNumber(expected: ExpectedRevision): bigint {
  if (expected === 'any') return ANY_REVISION;
  return expected === 'none' ? NO_STREAM : expected;
}

/** Records all appends or none: if one is refused, the transaction is rolled back. */
async function appendAllOrNone(pool: Pool, group: readonly SerializedAppend[]): Promise<readonly AppendOutcome[]> {
  const client = await pool.connect();
  let broken = true;
  try {
    await client.query('BEGIN');
    const outcomes = await appendGroup(client, group);
    const recorded = outcomes.every(({ outcome }) => outcome === 'appended' || outcome === 'repeated');
    await client.query(recorded ? 'COMMIT' : 'ROLLBACK');
    broken = false;
    return outcomes;
  } finally {
    client.release(broken);
  }
}

const READERS = 4;
const MAX_GROUP_APPENDS = 256;
const MAX_GROUP_BYTES = 4 * 1024 * 1024;
const MAX_QUERY_STREAMS = 16;
/** The maximum number of queries for streams at the same time. With more of them, each would read fewer streams. */
const MAX_QUERIES = 2;

/** The arguments of one append. */
export interface Append {
  readonly stream: string;
  readonly events: readonly NewEvent[];
  readonly expected: ExpectedRevision;
}

/** The log in tables of the schema `log` (migration 1764000000001). A cursor is a position in decimal. */
export class PostgresEventStore extends EventStore {
  private readonly closed = new AbortController();
  private readonly writer: Pool;
  private readonly readers: Pool;
  private readonly tail = new LogTail(positions);
  private readonly follower: LogFollower;
  /**
   * Group commit: all appends that arrive during a commit go into the next one together. The lock of the log
   * admits one commit at a time, so several at once would gain nothing.
   */
  private readonly commits = new Batcher<SerializedAppend, AppendOutcome>({
    run: (group) => this.retryWhileUnavailable(() => appendGroup(this.writer, group)),
    // Writers that have just got their answer come back within this turn of the event loop.
    schedule: setImmediate,
    maxItems: MAX_GROUP_APPENDS,
    maxSize: MAX_GROUP_BYTES,
    sizeOf: ({ bytes }) => bytes,
    afterFailure: (error) => (error instanceof EventStoreUnavailable ? 'fail all' : 'each in turn'),
  });
  /**
   * Reads of streams at the same time share a query, since a query costs far more than the few events of a stream. Each
   * query begins after its reads were requested, so it sees everything that was recorded before.
   */
  private readonly reads = new Batcher<StreamPlace, StreamPage>({
    run: (places) => this.retryWhileUnavailable(() => readStreams(this.readers, places)),
    schedule: process.nextTick,
    maxItems: MAX_QUERY_STREAMS,
    concurrency: MAX_QUERIES,
  });

  constructor(settings: DatabaseSettings) {
    super();
    this.writer = makePool(settings, 'log writer', 1);
    this.readers = makePool(settings, 'log reader', READERS);
    this.follower = new LogFollower(this.readers, settings, this.tail);
  }

  override async append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<Appended> {
    const outcome = await this.commits.add(serializeAppend(stream, events, expected));
    return appendedOrThrow(outcome, stream, expected);
  }

  /**
   * Records several appends in this order, with nothing in between: all of them or none. The copy of a log uses this,
   * since single appends would each wait for the disk.
   * @throws RevisionConflict, EventStoreUnavailable
   */
  async appendTogether(appends: readonly Append[]): Promise<void> {
    const group = appends.map(({ stream, events, expected }) => serializeAppend(stream, events, expected));
    const outcomes = await this.retryWhileUnavailable(() => appendAllOrNone(this.writer, group));
    outcomes.forEach((outcome, i) => {
      const { stream, expected } = appends[i] ?? { stream: '', expected: 'any' };
      appendedOrThrow(outcome, stream, expected);
    });
  }

  override async *readStream(stream: string, from = 0n): AsyncGenerator<RecordedEvent> {
    for (let next = from, isLast = false; !isLast;) {
      const page = await this.reads.add({ stream, from: next });
      yield* page.events;
      isLast = page.isLast;
      next += BigInt(page.events.length);
    }
  }

  override subscribe(options: SubscribeOptions): AsyncIterable<SubscriptionItem> {
    const signal = AbortSignal.any([options.signal, this.closed.signal]);
    const source: LogSource<bigint> = {
      tail: this.tail,
      isTemporary,
      readHead: () => readHead(this.readers),
      readHistory: (range) => readHistory(this.readers, range),
    };
    return subscribeToLog(source, { ...options, signal });
  }

  override async head(): Promise<string | null> {
    const head = await this.retryWhileUnavailable(() => readHead(this.readers));
    return head === 0n ? null : String(head);
  }

  override idAt(cursor: string): Promise<string | null> {
    const position = positions.parse(cursor);
    return this.retryWhileUnavailable(() => readIdAt(this.readers, position));
  }

  override compareCursors(a: string | null, b: string | null): number {
    return positions.compare(positions.parse(a), positions.parse(b));
  }

  override epoch(): Promise<string> {
    return this.retryWhileUnavailable(() => readEpoch(this.readers));
  }

  /** Ends the subscriptions, finishes the appends under way and disconnects. */
  async close(): Promise<void> {
    this.closed.abort();
    await this.commits.idle();
    await Promise.all([this.follower.close(), this.writer.end(), this.readers.end()]);
  }

  private retryWhileUnavailable<T>(call: () => Promise<T>): Promise<T> {
    return retryWhileUnavailable(call, this.closed.signal);
  }
}

function appendedOrThrow(outcome: AppendOutcome, stream: string, expected: ExpectedRevision): Appended {
  if (outcome.outcome === 'clash') throw new Error(`Some events of this append to ${stream} were recorded elsewhere`);
  if (outcome.outcome === 'conflict') {
    throw new RevisionConflict(stream, expected, outcome.revision === null ? null : BigInt(outcome.revision));
  }
  return { revision: BigInt(outcome.revision), cursor: outcome.position };
}
