// Every projection of the program, with every kind of poison among a thousand good events. New projections and new events
// are found by themselves.
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../../src/kernel/events.js';
import type { Projection } from '../../../src/platform/eventsourcing/projection.js';
import { foldHistory, makeReadTables } from '../../../src/platform/eventsourcing/rebuild.js';
import { readerOf } from '../../../src/platform/failures/unprocessable-events.js';
import type { SubscribeOptions, SubscriptionItem } from '../../../src/ports/event-store.port.js';
import { connectReadSchema } from '../../../src/server/boot/data-source.js';
import { allProjections } from '../../../src/server/boot/read-models.js';
import {
  asRecorded,
  BAD_SHAPES,
  eventsOfShape,
  eventsOfUnknownVersion,
  eventsWithBadValues,
  healthyEvents,
  mixInto,
  type StreamEvent,
} from '../../support/poisoned-events.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';
import { dumpTables } from '../../support/table-dump.js';

/** A log that returns its events in pages of one length. */
const inPages = (events: readonly RecordedEvent[], length: number) => ({
  async *subscribe({ types }: SubscribeOptions): AsyncGenerator<SubscriptionItem> {
    const wanted = events.filter(({ type }) => !types || types.includes(type));
    for (let at = 0; at < wanted.length; at += length) {
      const page = wanted.slice(at, at + length);
      yield { kind: 'events', events: page, cursor: page.at(-1)?.cursor ?? '' };
    }
    yield { kind: 'caughtUp', cursor: String(events.length) };
  },
});

let database: TestDatabase;
let live: DataSource;
let scratch: DataSource;
let healthy: Awaited<ReturnType<typeof healthyEvents>>;

beforeAll(async () => {
  // Each failure is logged.
  Logger.overrideLogger(false);
  database = await createTestDatabase();
  live = await connectReadSchema(database.settings, 'read');
  scratch = await connectReadSchema(database.settings, 'copy_from');
  healthy = await healthyEvents();
});
afterAll(async () => {
  await Promise.all([live.destroy(), scratch.destroy()]);
  await database.drop();
});

/** Folds a log. Returns the rows, and the ids of the events that could not be processed. */
async function fold(projection: Projection, events: readonly RecordedEvent[], pageLength: number) {
  await makeReadTables(live, 'copy_from', [projection]);
  await foldHistory(scratch, projection, inPages(events, pageLength));
  const failed: { id: string; reader: string; version: number }[] = await live.query(
    `SELECT event_id AS id, reader, reader_version AS version FROM state.unprocessable_events
     WHERE tables = 'copy_from' ORDER BY 1`,
  );
  const { checkpoints, ...rows } = await dumpTables(database.settings, 'copy_from');
  return { rows, failed, checkpoints };
}

/**
 * Expects that the rows are those of a log without the events that the projection cannot process, wherever the pages end.
 * Returns the ids of these events.
 */
async function expectRowsOfOthers(
  projection: Projection,
  poisoned: readonly StreamEvent[],
  pageLengths: readonly number[],
): Promise<ReadonlySet<string>> {
  const all = asRecorded(mixInto(healthy, poisoned));
  const [first = 1, ...others] = pageLengths;
  const { rows, failed, checkpoints } = await fold(projection, all, first);
  const ids = new Set(failed.map(({ id }) => id));
  const bad = new Set(poisoned.map(({ event }) => event.id));
  expect([...ids].filter((id) => !bad.has(id))).toEqual([]);
  expect(failed.every(({ reader }) => reader === readerOf.projection(projection.name))).toBe(true);
  expect(failed.every(({ version }) => version === projection.version)).toBe(true);
  expect(checkpoints).toHaveLength(1);
  const processed = all.filter(({ id }) => !ids.has(id));
  const without = await fold(projection, processed, first);
  expect(without.failed).toEqual([]);
  expect(rows).toEqual(without.rows);
  for (const length of others) {
    const cut = await fold(projection, all, length);
    expect(cut.failed.map(({ id }) => id)).toEqual([...ids]);
    expect(cut.rows).toEqual(rows);
  }
  return ids;
}

describe.each(allProjections().map((projection) => [projection.name, projection] as const))(
  'the projection "%s"',
  (_, projection) => {
    it('goes on after values that it cannot store', async () => {
      expect(healthy.length).toBeGreaterThan(1_000);
      await expectRowsOfOthers(projection, eventsWithBadValues(projection.eventTypes), [1_000, 97, 5]);
    });

    it('goes on after events of versions that it does not know, and records each of them', async () => {
      const poisoned = eventsOfUnknownVersion(projection.eventTypes);
      const ids = await expectRowsOfOthers(projection, poisoned, [1_000, 97]);
      // Another test may have declared an event of its own, of which none was ever recorded.
      expect(poisoned.length).toBeGreaterThan(0);
      expect([...ids].toSorted()).toEqual(poisoned.map(({ event }) => event.id).toSorted());
    });

    it.each(Object.keys(BAD_SHAPES))('goes on after events with %s', async (shape) => {
      await expectRowsOfOthers(projection, eventsOfShape(projection.eventTypes, shape), [10, 7]);
    });
  },
);
