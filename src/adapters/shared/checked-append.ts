import type { NewEvent } from '../../kernel/events.js';
import { MAX_APPEND_BYTES, MAX_EVENT_BYTES, type ExpectedRevision } from '../../ports/event-store.port.js';

const MAX_METADATA_BYTES = 16 * 1024;

/** An append that every log accepts: JSON texts within the limits. */
interface CheckedAppend {
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly ids: readonly string[];
  readonly types: readonly string[];
  readonly data: readonly string[];
  readonly metadata: readonly string[];
  /** UTF-8 bytes of data, metadata and types. */
  readonly bytes: number;
}

/**
 * Checks and serializes an append, so that a log never gets an append that it would refuse.
 * @throws Error that says what is wrong with it
 */
export function checkAppend(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): CheckedAppend {
  if (events.length === 0) throw new Error('An append needs at least one event');
  if (new Set(events.map(({ id }) => id)).size < events.length)
    throw new Error('Two events of an append have the same id');
  if (typeof expected === 'bigint' && expected < 0n) throw new Error(`${expected} is not a revision`);
  checkText(stream, 'stream name');
  for (const { type } of events) checkText(type, 'event type');
  const types = events.map(({ type }) => type);
  const data = events.map((event) => toJson(event.data, event.type, MAX_EVENT_BYTES));
  const metadata = events.map((event) => toJson(event.metadata, `metadata of ${event.type}`, MAX_METADATA_BYTES));
  const bytes = checkedSize(stream, [...types, ...data, ...metadata]);
  return { stream, expected, ids: events.map(({ id }) => id), types, data, metadata, bytes };
}

function checkedSize(stream: string, texts: readonly string[]): number {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes <= MAX_APPEND_BYTES) return bytes;
  throw new RangeError(
    `An append to ${stream} has ${bytes} bytes, which is more than the maximum of ${MAX_APPEND_BYTES} bytes for one append`,
  );
}

function checkText(text: string, what: string): void {
  if (text === '' || text.includes('\0')) throw new Error(`A ${what} is empty or has a NUL character`);
}

function toJson(value: unknown, what: string, most: number): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new Error(`The data of ${what} is not JSON`);
  const size = Buffer.byteLength(text);
  if (size > most) throw new RangeError(`${what} has ${size} bytes, more than the ${most} that an event may have`);
  return text;
}
