import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { Client } from 'pg';
import { EventStoreDbEventStore } from '../../../src/adapters/event-store/eventstoredb/eventstoredb-event-store.js';
import type { NewEvent } from '../../../src/kernel/events.js';
import { newId } from '../../../src/platform/runtime/ids.js';
import type { DatabaseSettings } from '../../../src/ports/database.port.js';
import { withEventStoreDb } from '../cluster-engines.js';
import { inTurn, type Figure } from '../figure.js';
import { stageChange, withScratchLog } from '../scratch-log.js';

const WRITERS = 16;
const EVENTS_A_WRITER = 500;

const SQL =
  'SELECT * FROM log.append($1::text[], $2::bigint[], $3::int[], $4::uuid[], $5::text[], $6::json[], $7::json[], $8::timestamptz[])';

/** Sixteen writers, each to a stream of its own, one event at a time. Returns seconds. */
async function byWriters(write: (stream: string, writer: number) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  const one = async (_: unknown, writer: number) => {
    const stream = `package-${newId()}`;
    for (let i = 0; i < EVENTS_A_WRITER; i++) await write(stream, writer);
  };
  await Promise.all(Array.from({ length: WRITERS }, one));
  return (performance.now() - startedAt) / 1000;
}

async function byHand(database: DatabaseSettings, clients: readonly Client[]): Promise<number> {
  return byWriters((stream, writer) => {
    const event = stageChange(stream);
    const values = [
      [stream],
      ['-2'],
      [1],
      [event.id],
      [event.type],
      [JSON.stringify(event.data)],
      [JSON.stringify(event.metadata)],
      [null],
    ];
    return clients[writer]?.query({ name: 'append', text: SQL, values }) ?? Promise.reject(new Error(database.host));
  });
}

/** As a program would hand it to the client that knows nothing of our types. */
const bareEvent = ({ id, type, data, metadata }: NewEvent) =>
  jsonEvent({ id, type, data: { ...Object(data) }, metadata });

const rate = (seconds: number): string => `${((WRITERS * EVENTS_A_WRITER) / seconds).toFixed(0)}/s`;

/** The event store against its own SQL sent by hand over sixteen connections. */
const inPostgres: Figure = (context) =>
  withScratchLog(context.folder, async (store, database) => {
    const clients = Array.from({ length: WRITERS }, () => new Client(database));
    await Promise.all(clients.map((client) => client.connect()));
    const times = await inTurn(context, {
      ours: () => byWriters((stream) => store.append(stream, [stageChange(stream)], 'any')),
      hand: () => byHand(database, clients),
    });
    await Promise.all(clients.map((client) => client.end()));
    return [
      {
        what: 'appends, 16 writers / the same SQL by hand',
        ours: rate(times.ours),
        rival: `by hand ${rate(times.hand)}`,
        value: times.hand / times.ours,
        mark: { atLeast: 0.8 },
      },
    ];
  });

/** The engine against the bare client on the same server; a real one with EVENTSTOREDB_URL, else the test server. */
const inEventStoreDb: Figure = (context) =>
  withEventStoreDb(async (url, name) => {
    const store = await EventStoreDbEventStore.connect(url, { log: () => undefined });
    const client = EventStoreDBClient.connectionString(url);
    const times = await inTurn(context, {
      ours: () => byWriters((stream) => store.append(stream, [stageChange(stream)], 'any')),
      hand: () => byWriters((stream) => client.appendToStream(stream, bareEvent(stageChange(stream)))),
    });
    await Promise.all([store.close(), client.dispose()]);
    return [
      {
        what: `appends to ${name}, 16 writers / the bare client`,
        ours: rate(times.ours),
        rival: `client ${rate(times.hand)}`,
        value: times.hand / times.ours,
        mark: {},
      },
    ];
  });

/** Events a second through each engine. */
export const appends: Figure = async (context) => [...(await inPostgres(context)), ...(await inEventStoreDb(context))];
