import type { NewEvent } from '../../../kernel/event.js';
import { MAX_EVENT_BYTES, type ExpectedRevision } from '../../../ports/event-store.port.js';
import type { SerializedAppend } from './sql/append.js';

const ANY = -2n;
const NONE = -1n;
const LARGEST_METADATA = 16 * 1024;

/** Checks and serializes an append, so that what the log would refuse never reaches it. */
export function serialize(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): SerializedAppend {
  if (events.length === 0) throw new Error('An append needs at least one event');
  if (new Set(events.map(({ id }) => id)).size < events.length) throw new Error('Two events of an append have one id');
  checkText(stream, 'stream name');
  for (const { type } of events) checkText(type, 'event type');
  const data = events.map((event) => toJson(event.data, event.type, MAX_EVENT_BYTES));
  const metadata = events.map((event) => toJson(event.metadata, `metadata of ${event.type}`, LARGEST_METADATA));
  const bytes = [...data, ...metadata].reduce((sum, text) => sum + text.length, 0);
  const [ids, types] = [events.map(({ id }) => id), events.map(({ type }) => type)];
  const recorded = events.map(({ recordedAt }) => recordedAt?.toISOString() ?? null);
  return { stream, expected: toNumber(expected), ids, types, data, metadata, recorded, bytes };
}

function toNumber(expected: ExpectedRevision): bigint {
  if (expected === 'any') return ANY;
  if (expected === 'none') return NONE;
  if (expected < 0n) throw new Error(`${expected} is not a revision`);
  return expected;
}

function checkText(text: string, what: string): void {
  if (text === '' || text.includes('\0')) throw new Error(`A ${what} is empty or has a NUL character`);
}

function toJson(value: unknown, what: string, most: number): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new Error(`The data of ${what} is not JSON`);
  const size = Buffer.byteLength(text);
  if (size > most) throw new Error(`${what} has ${size} bytes, more than the ${most} that an event may have`);
  return text;
}
