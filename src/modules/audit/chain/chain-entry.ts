import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../kernel/text/canonical-json.js';
import type { RecordedEvent } from '../../../kernel/event.js';
import type { Json } from '../../../kernel/json.js';

/** What the first entry is linked to. */
export const GENESIS = '0'.repeat(64);

/** Stands for a value of which just the SHA-256 of its canonical form goes into a hash and into an export. */
const DIGEST = '$sha256';
/** Longer texts are lists of digests as a rule. */
const MAX_TEXT_LENGTH = 2_048;
/** Worth nothing to a reader, and something to who guesses. */
const WITHHELD = new Set(['secretHash']);

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const replaceByDigest = (value: Json): Json => ({ [DIGEST]: sha256(canonicalJson(value)) });

function shortenValue(name: string, value: Json): Json {
  if (typeof value === 'string')
    return value.length > MAX_TEXT_LENGTH || WITHHELD.has(name) ? replaceByDigest(value) : value;
  return removeBulk(value);
}

/**
 * The data of an event as the chain binds it and an export tells it: long texts and what is withheld are replaced by
 * digests, so an export can be verified without them.
 */
export function removeBulk(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => shortenValue('', item));
  if (typeof value !== 'object' || value === null) return value;
  // Nothing in the log can pass for a digest that stands for something else.
  if (Object.hasOwn(value, DIGEST)) return replaceByDigest(value);
  const members = Object.entries(value).filter((member): member is [string, Json] => member[1] !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, shortenValue(name, member)]));
}

/** An event in its place: what a hash is made of. */
export interface BoundEvent {
  /** Counts the events of the log, from 1. */
  readonly number: number;
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  /** ISO 8601 in milliseconds, UTC. */
  readonly recordedAt: string;
  readonly metadata: Json;
  /** See withoutBulk. */
  readonly data: Json;
  /** Hash of the entry before, GENESIS for the first. */
  readonly previous: string;
}

/** The cursor is left out: a log keeps its chain when it moves to another engine. */
export function bindEvent(event: RecordedEvent, number: number, previous: string): BoundEvent {
  const { id, type, stream, revision, recordedAt, data } = event;
  // It came out of JSON as it is, which its declaration does not say.
  const metadata = event.metadata as unknown as Json;
  return {
    number,
    id,
    type,
    stream,
    revision: Number(revision),
    recordedAt: recordedAt.toISOString(),
    metadata,
    data: removeBulk(data),
    previous,
  };
}

/** SHA-256 of the canonical JSON (RFC 8785) of these nine members, in lower-case hex. */
export function hashEntry({
  number,
  id,
  type,
  stream,
  revision,
  recordedAt,
  metadata,
  data,
  previous,
}: BoundEvent): string {
  return sha256(canonicalJson({ number, id, type, stream, revision, recordedAt, metadata, data, previous }));
}

/** An entry of the chain as it is kept. */
export interface ChainLink {
  readonly number: number;
  readonly eventId: string;
  readonly hash: string;
}

/** Links events to the end of a chain. */
export function linkEvents(events: readonly RecordedEvent[], last: Pick<ChainLink, 'number' | 'hash'>): ChainLink[] {
  let previous = last.hash;
  return events.map((event, i) => {
    const number = last.number + i + 1;
    previous = hashEntry(bindEvent(event, number, previous));
    return { number, eventId: event.id, hash: previous };
  });
}
