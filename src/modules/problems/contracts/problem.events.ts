import { type DomainEvent, EventFamily } from '../../../kernel/events.js';

interface AboutReader {
  /** The part of the program that reads the log or the feed of a peer. */
  readonly reader: string;
  /** The id of the event; for the feed of a peer, the id of the package that the item is about. */
  readonly eventId: string;
  readonly eventType: string;
  readonly stream: string;
}

/** A reader cannot process an event, and goes on without it. Recorded once for each reader and event. Stream `problem-<id>`. */
export type EventUnprocessable = DomainEvent<
  'EventUnprocessable',
  AboutReader & { readonly reason: string; readonly program: string }
>;

/** A reader has processed an event that it could not process before. Stream `problem-<id>`. */
export type EventProcessed = DomainEvent<'EventProcessed', AboutReader>;

export type ProblemEvent = EventUnprocessable | EventProcessed;

export const problemEvents = new EventFamily<ProblemEvent>({
  EventUnprocessable: { version: 1 },
  EventProcessed: { version: 1 },
});
