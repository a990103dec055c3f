import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { v5 } from 'uuid';
import { z } from 'zod';
import type { Json, NewEvent, RecordedEvent } from '../../src/kernel/events.js';
import type { EventStore } from '../../src/ports/event-store.port.js';
import { MemoryEventStore } from './memory-event-store.js';
import { writeSampleLog } from './sample-log.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/events/', import.meta.url));

const Fixture = z.object({
  stream: z.string(),
  id: z.uuid(),
  type: z.string(),
  recordedAt: z.coerce.date(),
  data: z.record(z.string(), z.json()),
  metadata: z.object({
    schemaVersion: z.int(),
    serverId: z.uuid(),
    actor: z.object({
      kind: z.enum(['account', 'token', 'peer', 'system', 'stranger']),
      id: z.string(),
      name: z.string(),
    }),
    address: z.string().nullable(),
    correlationId: z.uuid(),
    causationId: z.uuid().nullable(),
  }),
});

/** An event and the stream to which it belongs. */
export interface StreamEvent {
  readonly stream: string;
  readonly event: NewEvent;
}

/** One event of every type and version that was ever written, in the order of the fixtures. */
export const fixtureEvents = (): readonly StreamEvent[] =>
  readdirSync(FIXTURES)
    .flatMap((file) => z.array(Fixture).parse(JSON.parse(readFileSync(FIXTURES + file, 'utf8'))))
    .map(({ stream, ...event }) => ({ stream, event }));

/** Replaces every text, every date and every number of a value. */
function replaceValues(value: Json, replace: (value: string | number) => Json): Json {
  if (typeof value === 'string' || typeof value === 'number') return replace(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item: Json) => replaceValues(item, replace));
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replaceValues(item ?? null, replace)]));
}

const isDate = (value: unknown): boolean => typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value);
const isText = (value: unknown): value is string => typeof value === 'string' && !isDate(value);

/** Signed statements repeat the texts of an event, which would be too large with all of them. */
const withoutProofs = (data: Json): Json =>
  typeof data === 'object' && data !== null && !Array.isArray(data) ? { ...data, proofs: [] } : data;

/** Values that a database may not be able to store, by name. Each changes good data. */
export const BAD_VALUES: Readonly<Record<string, (data: Json) => Json>> = {
  'NUL in texts': (data) => replaceValues(data, (value) => (isText(value) ? `${value}\0` : value)),
  'half of a surrogate pair in texts': (data) =>
    replaceValues(data, (value) => (isText(value) ? `${value}\ud800` : value)),
  'dates of year 0': (data) => replaceValues(data, (value) => (isDate(value) ? '0000-01-01T00:00:00.000Z' : value)),
  'numbers that are too large': (data) => replaceValues(data, (value) => (typeof value === 'number' ? 1e300 : value)),
  'numbers below zero': (data) => replaceValues(data, (value) => (typeof value === 'number' ? -value - 1 : value)),
  'texts that are too long for an index': (data) =>
    replaceValues(withoutProofs(data), (value) => (isText(value) ? `${value}${incompressible(3_000)}` : value)),
};

/** Data of another shape than events of a type have, by name. */
export const BAD_SHAPES: Readonly<Record<string, (data: Json) => Json>> = {
  'dates that are none': (data) => replaceValues(data, (value) => (isDate(value) ? 'yesterday' : value)),
  'numbers instead of texts': (data) => replaceValues(data, (value) => (isText(value) ? 7 : value)),
  'objects instead of values': (data) => replaceValues(data, () => ({})),
  'nothing instead of values': (data) => replaceValues(data, () => null),
  'no members': () => ({}),
  'no data': () => null,
  'a text as data': () => 'poison',
};

/** The latest version of an event of each of these types. */
function latestOf(types: readonly string[]): readonly StreamEvent[] {
  const latest = new Map<string, StreamEvent>();
  for (const one of fixtureEvents()) if (types.includes(one.event.type)) latest.set(one.event.type, one);
  return [...latest.values()];
}

function poisoned({ stream, event }: StreamEvent, name: string, change: Partial<NewEvent>): StreamEvent {
  return { stream, event: { ...event, ...change, id: v5(`${event.type} ${name}`, NAMESPACE) } };
}

/** Every bad value in an event of each of these types. */
export const eventsWithBadValues = (types: readonly string[]): readonly StreamEvent[] =>
  latestOf(types).flatMap((one) =>
    Object.entries(BAD_VALUES).map(([name, change]) => poisoned(one, name, { data: change(one.event.data) })),
  );

/** An event of each of these types with data of a bad shape. */
export const eventsOfShape = (types: readonly string[], name: string): readonly StreamEvent[] =>
  latestOf(types).map((one) => poisoned(one, name, { data: BAD_SHAPES[name]?.(one.event.data) ?? null }));

/** An event of each of these types in a version that this program does not know. */
export const eventsOfUnknownVersion = (types: readonly string[]): readonly StreamEvent[] =>
  latestOf(types).map((one) =>
    poisoned(one, 'unknown version', { metadata: { ...one.event.metadata, schemaVersion: 99 } }),
  );

/** All poison in events of these types. */
export const poisonedEvents = (types: readonly string[]): readonly StreamEvent[] => [
  ...eventsWithBadValues(types),
  ...Object.keys(BAD_SHAPES).flatMap((name) => eventsOfShape(types, name)),
  ...eventsOfUnknownVersion(types),
];

/** Text that PostgreSQL cannot make shorter, always the same. */
function incompressible(length: number): string {
  let text = '';
  for (let i = 0; text.length < length; i++) text += v5(String(i), NAMESPACE).replaceAll('-', '');
  return text.slice(0, length);
}

const NAMESPACE = '3a0f1c60-95ab-5c0f-8a40-63f2f1a0e8c4';

/** About a thousand events of a server in use, and one of every type and version. */
export async function healthyEvents(): Promise<readonly StreamEvent[]> {
  const log = new MemoryEventStore();
  await writeSampleLog(log, 360);
  const sample = log.all.map(({ stream, id, type, data, metadata, recordedAt }) => ({
    stream,
    event: { id, type, data, metadata, recordedAt },
  }));
  const others = fixtureEvents();
  return [...others, ...sample];
}

/** Puts events among others, at even distances. */
export function mixInto<T>(others: readonly T[], added: readonly T[]): readonly T[] {
  const distance = others.length / (added.length + 1);
  const mixed: T[] = [];
  let next = 0;
  for (const [i, one] of others.entries()) {
    mixed.push(one);
    while (next < added.length && i + 1 >= distance * (next + 1)) mixed.push(...added.slice(next, ++next));
  }
  return [...mixed, ...added.slice(next)];
}

/** The events as a log returns them. */
export const asRecorded = (events: readonly StreamEvent[]): readonly RecordedEvent[] =>
  events.map(({ stream, event }, i) => ({
    ...event,
    stream,
    revision: BigInt(i),
    cursor: String(i + 1),
    recordedAt: event.recordedAt ?? new Date('2026-01-02T03:04:05.678Z'),
  }));

/** What decides how the server of a test itself works, such as who may download from it. */
const OWN_SETTINGS = new Set([
  'ServerInitialised',
  'ServerSettingsChanged',
  'ServerKeyRotated',
  'DownloadProtectionChanged',
]);

/** The id that the account `admin` has on every server, and that of somebody else. */
const ADMIN_ID = 'c5b4bd03-c569-5fbd-b952-a8a0871c05f7';
const OTHER_ID = 'c5b4bd03-c569-5fbd-b952-a8a0871c05f8';

/** The same event about an account that nobody needs to sign in with. */
function aboutOtherAccount({ stream, event }: StreamEvent): StreamEvent {
  const data: Json = z.json().parse(JSON.parse(JSON.stringify(event.data).replaceAll(ADMIN_ID, OTHER_ID)));
  return { stream: stream.replaceAll(ADMIN_ID, OTHER_ID), event: { ...event, data } };
}

/** A thousand events with all poison among them, which a running server may have in its log. */
export async function poisonedServerLog(): Promise<{
  readonly good: readonly StreamEvent[];
  readonly bad: readonly StreamEvent[];
  readonly all: readonly StreamEvent[];
}> {
  const good = (await healthyEvents()).filter(({ event }) => !OWN_SETTINGS.has(event.type)).map(aboutOtherAccount);
  const types = [...new Set(good.map(({ event }) => event.type))];
  const settings = [
    ...eventsOfShape(['ServerSettingsChanged', 'DownloadProtectionChanged'], 'no data'),
    ...eventsOfUnknownVersion(['ServerSettingsChanged', 'ServerKeyRotated']),
  ];
  const bad = [...poisonedEvents(types), ...settings].map(aboutOtherAccount);
  return { good, bad, all: mixInto(good, bad) };
}

/** Appends events in their order, each to its stream. */
export async function appendAll(store: Pick<EventStore, 'append'>, events: readonly StreamEvent[]): Promise<void> {
  for (const { stream, event } of events) await store.append(stream, [event], 'any');
}
