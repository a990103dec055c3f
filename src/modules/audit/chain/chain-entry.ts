import { createHash } from 'node:crypto';
import type { Json, RecordedEvent } from '../../../kernel/events.js';
import { canonicalJson } from '../../../kernel/text.js';

/** The hash to which the first entry is linked. */
export const GENESIS = '0'.repeat(64);

/** Key of an object that replaces a value by the SHA-256 of its canonical form, in hashes and exports. */
const DIGEST = '$sha256';
/** Longer texts are usually lists of digests. */
const MAX_TEXT_LENGTH = 2_048;
/** Fields that are useless to a reader and useful to an attacker. */
const WITHHELD = new Set(['secretHash']);

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const replaceByDigest = (value: Json): Json => ({ [DIGEST]: sha256(canonicalJson(value)) });

function shortenValue(name: string, value: Json): Json {
  if (typeof value === 'string')
    return value.length > MAX_TEXT_LENGTH || WITHHELD.has(name) ? replaceByDigest(value) : value;
  return removeBulk(value);
}

/**
 * The data of an event in the form of the chain and of an export: long texts and withheld texts are replaced by
 * digests, so an export can be verified without them.
 */
export function removeBulk(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => shortenValue('', item));
  if (typeof value !== 'object' || value === null) return value;
  // A value of the log that looks like a replacement is replaced itself, so that it cannot pass for one.
  if (Object.hasOwn(value, DIGEST)) return replaceByDigest(value);
  const members = Object.entries(value).filter((member): member is [string, Json] => member[1] !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, shortenValue(name, member)]));
}

/** An event at its place in the chain: the content of its hash. */
export interface BoundEvent {
  /** Number of the event in the log, from 1. */
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
  /** Hash of the previous entry, GENESIS for the first one. */
  readonly previous: string;
}

/** The cursor is left out: a log keeps its chain when it moves to another engine. */
export function bindEvent(event: RecordedEvent, number: number, previous: string): BoundEvent {
  const { id, type, stream, revision, recordedAt, data } = event;
  // The metadata was parsed from JSON, which its type does not say.
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

/** An entry of the chain, as it is stored. */
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
