import { errorCode } from '../kernel/errors.js';
import type { NewEvent, RecordedEvent } from '../kernel/events.js';

/** 'any' appends in any case, 'none' only to a new stream, a number only after the event of that revision. */
export type ExpectedRevision = 'any' | 'none' | bigint;

export interface Appended {
  /** Revision of the last event of the append. */
  readonly revision: bigint;
  /** Place of the last event of the append in the whole log. */
  readonly cursor: string;
}

export type SubscriptionItem =
  | { readonly kind: 'events'; readonly events: readonly RecordedEvent[]; readonly cursor: string }
  /** There is no wanted event up to this cursor. A reader that saves it does not have to search again at the next start. */
  | { readonly kind: 'checkpoint'; readonly cursor: string }
  /** Comes once, when the history that existed at the start has been read. */
  | { readonly kind: 'caughtUp'; readonly cursor: string };

export interface SubscribeOptions {
  /** The last cursor that was handled; null reads from the beginning. */
  readonly after: string | null;
  /** Only events of these types. */
  readonly types?: readonly string[];
  /** Ends the subscription. */
  readonly signal: AbortSignal;
}

/** Another writer was faster. The caller has to load the stream and decide again. */
export class RevisionConflict extends Error {
  constructor(
    readonly stream: string,
    readonly expected: ExpectedRevision,
    readonly actual: bigint | null,
  ) {
    super(`${stream} is at revision ${actual ?? 'none'}, expected ${expected}`);
    this.name = 'RevisionConflict';
  }
}

/** What an engine in PostgreSQL says by SQLSTATE. */
const SQL_CAUSES: Readonly<Record<string, string>> = {
  '53100': 'The event store cannot record anything, because the disk of its database is full',
  '25006': 'The event store cannot record anything, because its database is read-only',
};

/** The log cannot be reached now. An append may or may not have happened: repeat it with the same event ids. */
export class EventStoreUnavailable extends Error {
  constructor(cause: unknown) {
    super(SQL_CAUSES[errorCode(cause) ?? ''] ?? 'The event store cannot be reached', { cause });
    this.name = 'EventStoreUnavailable';
  }
}

/** The largest data of one event, in bytes of JSON. */
export const MAX_EVENT_BYTES = 64 * 1024;

/** The largest append, in bytes of data, metadata and types of its events. EventStoreDB refuses more than 1 MiB. */
export const MAX_APPEND_BYTES = 960 * 1024;

/**
 * The log of all events, from which everything else is derived. Engines pass `test/contract/event-store.contract.ts`.
 */
export abstract class EventStore {
  /**
   * Appends atomically and durably. Repeating an append with the same event ids to the same stream changes nothing
   * and returns what the first one returned.
   * @throws RevisionConflict, EventStoreUnavailable
   */
  abstract append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<Appended>;

  /** The events of a stream in order, from a revision on (0 when left out); none if the stream does not exist. */
  abstract readStream(stream: string, from?: bigint): AsyncIterable<RecordedEvent>;

  /**
   * All events in the order of the log: first the history, then new ones within 50 ms of their commit. It never misses
   * or repeats an event, and continues by itself after the connection to the log was lost.
   */
  abstract subscribe(options: SubscribeOptions): AsyncIterable<SubscriptionItem>;

  /** The cursor of the last event in the log; null if the log is empty. */
  abstract head(): Promise<string | null>;

  /**
   * The id of the event at a cursor; null if there is none. A log that was restored to an earlier state and then went
   * on has other events at the same cursors, and the same epoch. @throws Refusal INVALID_CURSOR
   */
  abstract idAt(cursor: string): Promise<string | null>;

  /** Negative, zero or positive, as for `Array.sort`; null stands before everything. */
  abstract compareCursors(a: string | null, b: string | null): number;

  /**
   * The name of the history of this log. Two logs, or one log before and after a reset, have different epochs. A cursor
   * has a meaning only together with the epoch.
   */
  abstract epoch(): Promise<string>;

  /** Ends the subscriptions, finishes the appends under way and disconnects. */
  abstract close(): Promise<void>;
}
