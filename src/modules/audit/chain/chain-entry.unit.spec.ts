import {
  array,
  assert,
  constantFrom,
  integer,
  jsonValue,
  property,
  record,
  string,
  uuid,
  type Arbitrary,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, RecordedEvent } from '../../../kernel/events.js';
import { bindEvent, hashEntry, GENESIS, linkEvents, removeBulk } from './chain-entry.js';

const actor = record({ kind: constantFrom('account', 'system', 'stranger'), id: string(), name: string() });
const metadata = record({
  schemaVersion: integer(),
  serverId: uuid(),
  actor,
  address: constantFrom(null, '192.0.2.1'),
  correlationId: uuid(),
  causationId: constantFrom(null, 'x'),
});
const event = record({
  id: uuid(),
  type: string(),
  stream: string(),
  data: jsonValue(),
  metadata,
  cursor: string(),
  revision: integer({ min: 0 }).map(BigInt),
  recordedAt: integer({ min: 0, max: 4_000_000_000_000 }).map((ms) => new Date(ms)),
}) as Arbitrary<RecordedEvent>;
const log = array(event, { minLength: 1, maxLength: 8 });

const START = { number: 0, hash: GENESIS };
const hashes = (events: readonly RecordedEvent[]): string[] => linkEvents(events, START).map(({ hash }) => hash);
const holds = (check: (events: RecordedEvent[]) => void): void => assert(property(log, (events) => void check(events)));
const last = (events: readonly RecordedEvent[]): string => hashes(events).at(-1) ?? '';

describe('the chain', () => {
  it('is the same in pages as in one piece, and after it was read again as JSON', () => {
    holds((events) => {
      const half = linkEvents(events.slice(0, 3), START);
      const rest = linkEvents(events.slice(3), half.at(-1) ?? START);
      expect([...half, ...rest]).toEqual(linkEvents(events, START));
      expect(hashes(events.map((one) => ({ ...one, data: JSON.parse(JSON.stringify(one.data)) as Json })))).toEqual(
        hashes(events),
      );
    });
  });

  it('does not know of cursors, which are of one engine', () => {
    holds((events) =>
      expect(hashes(events.map((one, i) => ({ ...one, cursor: `${i}/${i}` })))).toEqual(hashes(events)),
    );
  });

  it('ends otherwise when any event is changed, taken out, put in or moved', () => {
    const changes: ((one: RecordedEvent) => RecordedEvent)[] = [
      (one) => ({ ...one, id: `${one.id}x` }),
      (one) => ({ ...one, type: `${one.type}x` }),
      (one) => ({ ...one, stream: `${one.stream}x` }),
      (one) => ({ ...one, revision: one.revision + 1n }),
      (one) => ({ ...one, recordedAt: new Date(one.recordedAt.getTime() + 1) }),
      (one) => ({ ...one, data: { was: one.data } }),
      (one) => ({
        ...one,
        metadata: { ...one.metadata, actor: { ...one.metadata.actor, name: `${one.metadata.actor.name}x` } },
      }),
      (one) => ({ ...one, metadata: { ...one.metadata, address: '198.51.100.7' } }),
    ];
    holds((events) => {
      for (const change of changes)
        expect(last(events.map((one, i) => (i === 0 ? change(one) : one)))).not.toBe(last(events));
      expect(last(events.slice(1))).not.toBe(last(events));
      expect(last([...events.slice(0, 1), ...events])).not.toBe(last(events));
      expect(last([...events, { ...(events[0] as RecordedEvent), id: 'another' }].toReversed())).not.toBe(
        last([...events, { ...(events[0] as RecordedEvent), id: 'another' }]),
      );
    });
  });
});

describe('what stands for long texts and secrets', () => {
  it('is bound like the whole', () => {
    const text = 'QUFB'.repeat(1_000);
    const short = removeBulk({ packageId: 'p', sha1: text, secretHash: 'abc' });
    expect(JSON.stringify(short)).not.toMatch(/QUFB|abc/);
    expect(short).toMatchObject({
      packageId: 'p',
      sha1: { $sha256: expect.any(String) },
      secretHash: { $sha256: expect.any(String) },
    });
    expect(removeBulk({ sha1: `${text}x` })).not.toEqual(removeBulk({ sha1: text }));
  });

  it('can not be put in the place of what it stands for', () => {
    const text = 'QUFB'.repeat(1_000);
    expect(removeBulk(removeBulk({ sha1: text }))).not.toEqual(removeBulk({ sha1: text }));
  });

  it('leaves everything else as it is', () => {
    assert(
      property(
        jsonValue({ maxDepth: 3 }) as Arbitrary<Json>,
        (value) =>
          void expect(JSON.parse(JSON.stringify(removeBulk(value)))).toEqual(JSON.parse(JSON.stringify(value))),
      ),
    );
  });
});

it('the hash of an entry is that of RFC 8785 text, which anybody can compute', () => {
  const one: RecordedEvent = {
    id: 'i',
    type: 'T',
    stream: 's',
    revision: 0n,
    cursor: '1',
    recordedAt: new Date(0),
    data: { b: 1, a: 'x' },
    metadata: {
      schemaVersion: 1,
      serverId: 'S',
      actor: { kind: 'system', id: 'a', name: 'n' },
      address: null,
      correlationId: 'c',
      causationId: null,
    },
  };
  // printf '%s' '{"data":{"a":"x","b":1},"id":"i",...}' | sha256sum
  expect(hashEntry(bindEvent(one, 1, GENESIS))).toBe(
    'e131f63efa14e73184e3b7ec5da0060d9e18c63d970aad21d83603b8d7612ff2',
  );
});
