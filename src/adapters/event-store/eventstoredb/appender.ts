import {
  ANY,
  type AppendExpectedRevision,
  type EventData,
  type JSONType,
  NO_STREAM,
  type RecordedEvent as ServerEvent,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { LRUCache } from 'lru-cache';
import { validate, version } from 'uuid';
import type { NewEvent } from '../../../kernel/events.js';
import { type Appended, type ExpectedRevision, RevisionConflict } from '../../../ports/event-store.port.js';
import { checkAppend } from '../../shared/checked-append.js';
import { retryWhileUnavailable, UNAVAILABLE_TIMEOUT_MS } from '../../shared/retry-while-unavailable.js';
import { cursorOf } from './cursor.js';
import { isTemporary, withTimeout } from './errors.js';
import { CALL_TIMEOUT_MS, type LogClient } from './log-client.js';
import { readBackward, readForward } from './read-log.js';
import { placeOf, storedMetadata } from './record.js';

/** The largest accepted difference between the clocks of the server and its clients, in milliseconds. */
const MAX_CLOCK_SKEW_MS = 10 * 60 * 1000;

/** The events of an append that a stream contains. */
type Found =
  | { readonly outcome: 'all'; readonly appended: Appended }
  | { readonly outcome: 'some' }
  | { readonly outcome: 'none'; readonly actual: bigint | null };

/** Searches a stream backwards for the events of an append, until the time when their ids were created. */
async function searchStream(client: LogClient, stream: string, ids: readonly string[]): Promise<Found> {
  const wanted = new Set(ids);
  const oldest = Math.min(...ids.map(idMadeAt)) - MAX_CLOCK_SKEW_MS;
  const found: ServerEvent[] = [];
  let page = await readBackward(client, stream);
  const actual = page[0]?.revision ?? null;
  for (let last = page.at(-1); last; last = page.at(-1)) {
    found.push(...page.filter(({ id }) => wanted.has(id)));
    if (found.length === ids.length || last.revision === 0n || last.created.getTime() < oldest) break;
    page = await readBackward(client, stream, last.revision - 1n);
  }
  const [newest] = found;
  if (!newest) return { outcome: 'none', actual };
  return found.length === ids.length ? { outcome: 'all', appended: appendedOf(newest) } : { outcome: 'some' };
}

const appendedOf = (last: ServerEvent): Appended => ({ revision: last.revision, cursor: cursorOf(placeOf(last)) });

/** The time in an id of version 7, in milliseconds since 1970; 0 for other ids. */
const idMadeAt = (id: string): number =>
  version(id) === 7 ? Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16) : 0;

const MAX_IDS = 50_000;

type Known = 'new' | 'recorded' | 'elsewhere';

/**
 * Remembers in which stream this process recorded which recent event ids. EventStoreDB looks for an id only in the stream
 * to which it is appended, and does not check all ids of an append. This class finds the duplicates that it would accept.
 */
class RecentIds {
  private readonly streams = new LRUCache<string, string>({ max: MAX_IDS });

  /** 'elsewhere' when some but not all of the ids are known, or some in another stream. */
  findAppend(stream: string, ids: readonly string[]): Known {
    const known = ids.map((id) => this.streams.get(id)).filter((found) => found !== undefined);
    if (known.length === 0) return 'new';
    return known.length === ids.length && known.every((found) => found === stream) ? 'recorded' : 'elsewhere';
  }

  addAppend(stream: string, ids: readonly string[]): void {
    for (const id of ids) this.streams.set(id, stream);
  }
}

/** An append that can be sent. */
interface ReadyAppend {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly ids: readonly string[];
  readonly events: readonly EventData[];
}

/** @throws Error if the client would never answer, or if the server would refuse the append */
function prepareAppend(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): ReadyAppend {
  checkAppend(stream, events, expected);
  for (const { id } of events) if (!validate(id)) throw new Error(`${id} is not an event id`);
  if (stream.startsWith('$')) throw new Error('Streams that begin with $ belong to EventStoreDB');
  return { stream, expected, ids: events.map(({ id }) => id.toLowerCase()), events: events.map(toServerEvent) };
}

function toServerEvent({ id, type, data, metadata, recordedAt }: NewEvent): EventData {
  if (type.startsWith('$')) throw new Error('Types that begin with $ belong to EventStoreDB');
  // The client converts every value to JSON, but its type accepts only objects and strings.
  return {
    id: id.toLowerCase(),
    contentType: 'application/json',
    type,
    data: data as JSONType,
    metadata: storedMetadata(metadata, recordedAt),
  };
}

/** Makes one attempt. @throws the error of the client, or NoAnswer */
async function sendAppend(client: LogClient, append: ReadyAppend): Promise<Appended> {
  const call = client.appendToStream(append.stream, [...append.events], {
    expectedRevision: toServerRevision(append.expected),
  });
  const { nextExpectedRevision: revision, position } = await withTimeout(
    CALL_TIMEOUT_MS,
    `an append to ${append.stream}`,
    call,
  );
  return { revision, cursor: position ? cursorOf(position) : await readCursor(client, append.stream, revision) };
}

/** Reads the cursor of an append. The server may omit the position, especially for an append that it had recorded before. */
async function readCursor(client: LogClient, stream: string, revision: bigint): Promise<string> {
  const [event] = await readForward(client, stream, revision, 1);
  if (event?.revision !== revision) throw new Error(`Event ${revision} of ${stream} is not there after its append`);
  return cursorOf(placeOf(event));
}

function toServerRevision(expected: ExpectedRevision): AppendExpectedRevision {
  if (expected === 'any') return ANY;
  return expected === 'none' ? NO_STREAM : expected;
}

/** The time for which the server certainly remembers the ids of an append without an expected revision, in milliseconds. */
const REMEMBERED_MS = UNAVAILABLE_TIMEOUT_MS / 2;

/** Records each append at most once, even when answers are lost. */
export class Appender {
  private readonly recent = new RecentIds();
  private readonly underWay = new Set<Promise<Appended>>();

  constructor(
    private readonly client: LogClient,
    private readonly stopped: AbortSignal,
  ) {}

  /** @throws RevisionConflict, EventStoreUnavailable */
  async append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<Appended> {
    const appending = this.appendOnce(prepareAppend(stream, events, expected));
    this.underWay.add(appending);
    try {
      return await appending;
    } finally {
      this.underWay.delete(appending);
    }
  }

  /** Resolves when all appends under way have ended. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.underWay);
  }

  private async appendOnce(append: ReadyAppend): Promise<Appended> {
    const known = this.recent.findAppend(append.stream, append.ids);
    if (known === 'elsewhere') throw clashError(append);
    let mayBeThere = known === 'recorded' || mayBeForgotten(append);
    const appended = await retryWhileUnavailable(
      async () => {
        const earlier = mayBeThere ? await this.findEarlier(append) : null;
        // From here on, the append may be recorded although its answer was lost.
        mayBeThere = true;
        return earlier ?? (await this.sendOnce(append));
      },
      isTemporary,
      this.stopped,
    );
    this.recent.addAppend(append.stream, append.ids);
    return appended;
  }

  private async sendOnce(append: ReadyAppend): Promise<Appended> {
    try {
      return await sendAppend(this.client, append);
    } catch (error) {
      if (error instanceof WrongExpectedVersionError) return this.resolveConflict(append);
      throw error;
    }
  }

  /** Checks whether the conflict is with an earlier attempt of our own whose answer was lost. */
  private async resolveConflict(append: ReadyAppend): Promise<Appended> {
    const found = await searchStream(this.client, append.stream, append.ids);
    if (found.outcome === 'all') return found.appended;
    // Without an expected revision, the server refuses an append only when it has recorded some of its ids before.
    if (found.outcome === 'some' || append.expected === 'any') throw clashError(append);
    throw new RevisionConflict(append.stream, append.expected, found.actual);
  }

  /** Returns the result of an earlier append of the same events, or null if there was none. */
  private async findEarlier(append: ReadyAppend): Promise<Appended | null> {
    const found = await searchStream(this.client, append.stream, append.ids);
    if (found.outcome === 'some') throw clashError(append);
    return found.outcome === 'all' ? found.appended : null;
  }
}

const clashError = ({ stream }: ReadyAppend): Error =>
  new Error(`Some events of this append to ${stream} were recorded elsewhere`);

/** With an expected revision, the server compares ids with the log itself. Without one, it knows only recent ids. */
const mayBeForgotten = ({ expected, ids }: ReadyAppend): boolean =>
  expected === 'any' && ids.some((id) => idMadeAt(id) < Date.now() - REMEMBERED_MS);
