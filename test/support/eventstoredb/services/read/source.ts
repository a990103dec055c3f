import type { EventLog } from '../../log/event-log.js';
import { comparePositions, type Position, type StoredEvent } from '../../log/record.js';
import { streamName } from '../../protocol/events.js';
import type { Streams } from '../../protocol/messages.js';

/** Where to start in a list of events. */
export interface Source {
  /** The stream that is read; undefined for `$all`. */
  readonly stream: string | undefined;
  /** Grows while it is read. */
  readonly events: () => readonly StoredEvent[];
  /** Index of the event at the wanted start, or of the next one if there is none; the length for the end. */
  readonly start: number;
  /** The wanted start is the place of an event, and not `start` or `end`. */
  readonly isAtEvent: boolean;
}

/** The position names no event, though the log goes further: the real server finds no record there. */
export class InvalidPosition extends Error {}

export function findSource(log: EventLog, options: Streams.ReadReq.Options): Source {
  const stream = options.getStream();
  if (stream) return streamSource(log, stream);
  const all = options.getAll();
  if (all) return allSource(log, all);
  throw new Error('Neither a stream nor $all');
}

function streamSource(log: EventLog, options: Streams.ReadReq.Options.StreamOptions): Source {
  const stream = streamName(options.getStreamIdentifier());
  const events = (): readonly StoredEvent[] => log.stream(stream);
  const { length } = events();
  if (options.hasEnd()) return { stream, events, start: length, isAtEvent: false };
  if (!options.hasRevision()) return { stream, events, start: 0, isAtEvent: false };
  const revision = BigInt(options.getRevision());
  const start = revision < BigInt(length) ? Number(revision) : length;
  return { stream, events, start, isAtEvent: start < length };
}

function allSource(log: EventLog, options: Streams.ReadReq.Options.AllOptions): Source {
  const events = (): readonly StoredEvent[] => log.all;
  const given = options.getPosition();
  if (options.hasEnd()) return { stream: undefined, events, start: log.all.length, isAtEvent: false };
  if (!given) return { stream: undefined, events, start: 0, isAtEvent: false };
  const position = { commit: BigInt(given.getCommitPosition()), prepare: BigInt(given.getPreparePosition()) };
  const start = log.indexOf(position);
  return { stream: undefined, events, start, isAtEvent: isAt(log.all[start], position) };
}

function isAt(event: StoredEvent | undefined, position: Position): boolean {
  if (event === undefined || comparePositions(position, { commit: 0n, prepare: 0n }) === 0) return false;
  if (comparePositions(event, position) !== 0) throw new InvalidPosition();
  return true;
}
