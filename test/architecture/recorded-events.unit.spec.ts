import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type DomainEvent, EventFamily, type RecordedEvent } from '../../src/kernel/events.js';
import { describedTypes, describeEvent } from '../../src/platform/eventsourcing/event-descriptions.js';
import '../../src/server/app.module.js';
import { makeAuditRows, nothingBefore, describeEvents } from '../../src/modules/audit/trail/audit-rows.js';

const MODULES = fileURLToPath(new URL('../../src/modules/', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../fixtures/events/', import.meta.url));

const Recorded = z.object({
  stream: z.string(),
  revision: z.coerce.bigint(),
  cursor: z.string(),
  recordedAt: z.coerce.date(),
  id: z.uuid(),
  type: z.string(),
  data: z.record(z.string(), z.json()),
  metadata: z.object({
    schemaVersion: z.int().positive(),
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

/** Event types that the audit trail does not tell, and why. None yet: chunks, too, say who sent them and when. */
const LEFT_OUT: Readonly<Record<string, string>> = {};

/** One event of every type and version that was ever written, as a server recorded it. They are only ever added. */
const events: RecordedEvent[] = readdirSync(FIXTURES).flatMap((file) =>
  z.array(Recorded).parse(JSON.parse(readFileSync(FIXTURES + file, 'utf8'))),
);

async function families(): Promise<EventFamily<DomainEvent>[]> {
  const files = readdirSync(MODULES, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.events.ts'),
  );
  const modules = await Promise.all(files.map((file) => import(MODULES + file) as Promise<object>));
  return modules.flatMap((module) => Object.values(module).filter((value) => value instanceof EventFamily));
}

/** What each of these events told when it was first described, by the event's id. Entries are only ever added. */
const DESCRIPTIONS: unknown = JSON.parse(
  readFileSync(fileURLToPath(new URL('../fixtures/event-descriptions.json', import.meta.url)), 'utf8'),
);

describe('events of earlier versions', () => {
  // The shown entries and the exports of an audit trail are verified against what the log tells now.
  it('are described word for word as they always were', () => {
    const told = events.map((event) => [event.id, { type: event.type, ...describeEvent(event) }]);
    expect(JSON.parse(JSON.stringify(Object.fromEntries(told)))).toEqual(DESCRIPTIONS);
  });

  it('are kept, one of every type and version', async () => {
    const wanted = (await families()).flatMap((family) =>
      family.types.flatMap((type) => Array.from({ length: family.versionOf(type) }, (_, i) => `${type} ${i + 1}`)),
    );
    expect(wanted.length).toBeGreaterThan(20);
    expect(events.map(({ type, metadata }) => `${type} ${metadata.schemaVersion}`).toSorted()).toEqual(
      wanted.toSorted(),
    );
  });

  it.each(events.map((event) => [`${event.type} ${event.metadata.schemaVersion}`, event] as const))(
    '%s is read',
    async (_, event) => {
      const read = (await families()).flatMap((family) => family.read(event) ?? []);
      expect(read).toHaveLength(1);
      expect(read[0]).toMatchObject({ type: event.type, record: event });
    },
  );

  it('are all in the audit trail, or left out for a reason', async () => {
    const types = (await families()).flatMap((family) => family.types);
    expect([...describedTypes(), ...Object.keys(LEFT_OUT)].toSorted()).toEqual(types.toSorted());
  });

  it('tell in the audit trail what happened', () => {
    const rows = makeAuditRows(describeEvents(events), nothingBefore());
    expect(rows.map(({ eventId }) => eventId)).toEqual(events.map(({ id }) => id));
    for (const { targetId, summary } of rows) expect(`${targetId} ${summary}`).not.toMatch(/undefined|NaN|\[object/);
  });
});
