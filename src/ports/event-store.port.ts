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
  /** Nothing of the wanted types up to this cursor: keep it, so that the next start does not search again. */
  | { readonly kind: 'checkpoint'; readonly cursor: string }
  /** Said once, when the history that existed at the start has been read. */
  | { readonly kind: 'caughtUp'; readonly cursor: string };

export interface SubscribeOptions {
  /** The last cursor that was handled; null reads from the beginning. */
  readonly after: string | null;
  /** Only events of these types. */
  readonly types?: readonly string[];
  /** Ends the subscription. */
  readonly signal: AbortSignal;
}

/** Another writer was faster: load again, decide again. */
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

/** The log can't be reached now. The append may or may not have happened; repeat it with the same event ids. */
export class EventStoreUnavailable extends Error {
  constructor(cause: unknown) {
    super('The event store cannot be reached', { cause });
    this.name = 'EventStoreUnavailable';
  }
}

/** Largest data of one event, in bytes of JSON. */
export const MAX_EVENT_BYTES = 64 * 1024;

/** Largest append: bytes of data, metadata and types of its events. EventStoreDB refuses more than 1 MiB. */
export const MAX_APPEND_BYTES = 960 * 1024;

/**
 * The log: the only truth. Implementations pass `test/contract/event-store.contract.ts`.
 */
export abstract class EventStore {
  /**
   * Appends atomically and durably. Repeating an append with the same event ids to the same stream changes nothing
   * and returns what the first one returned.
   * @throws RevisionConflict, EventStoreUnavailable
   */
  abstract append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<Appended>;

  /** The events of a stream in order, from a revision on (0 when left out); nothing for a stream that is not there. */
  abstract readStream(stream: string, from?: bigint): AsyncIterable<RecordedEvent>;

  /**
   * All events in the order of the log, first the history, then live, within 50 ms of the commit. Never misses or
   * repeats one, and goes on by itself when the connection to the log was lost.
   */
  abstract subscribe(options: SubscribeOptions): AsyncIterable<SubscriptionItem>;

  /** Cursor of the last event in the log, null when it is empty. */
  abstract head(): Promise<string | null>;

  /**
   * Id of the event at a cursor; null when the log has none there. A log that was put back to an earlier state and went
   * on from there has other events behind the same cursors, and the same epoch. @throws Refusal INVALID_CURSOR
   */
  abstract idAt(cursor: string): Promise<string | null>;

  /** Negative, zero or positive, as for `Array.sort`; null stands before everything. */
  abstract compareCursors(a: string | null, b: string | null): number;

  /**
   * Names this log's history. Two logs, or one log before and after it was reset, have different epochs; a cursor
   * means something only together with the epoch.
   */
  abstract epoch(): Promise<string>;

  /** Ends the subscriptions, finishes the appends under way and disconnects. */
  abstract close(): Promise<void>;
}
