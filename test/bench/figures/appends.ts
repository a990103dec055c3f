import { Client } from 'pg';
import { newId } from '../../../src/platform/ids/ids.js';
import type { DatabaseSettings } from '../../../src/ports/database.port.js';
import { inTurn, type Figure } from '../figure.js';
import { stageChange, withScratchLog } from '../scratch-log.js';

const WRITERS = 16;
const EVENTS_A_WRITER = 500;

const SQL = 'SELECT * FROM log.append($1::text[], $2::bigint[], $3::int[], $4::uuid[], $5::text[], $6::json[], $7::json[])';

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
    const values = [[stream], ['-2'], [1], [event.id], [event.type], [JSON.stringify(event.data)], [JSON.stringify(event.metadata)]];
    return clients[writer]?.query({ name: 'append', text: SQL, values }) ?? Promise.reject(new Error(database.host));
  });
}

/** The event store against its own SQL sent by hand over sixteen connections. */
export const appends: Figure = (context) =>
  withScratchLog(context.folder, async (store, database) => {
    const clients = Array.from({ length: WRITERS }, () => new Client(database));
    await Promise.all(clients.map((client) => client.connect()));
    const times = await inTurn(context, {
      ours: () => byWriters((stream) => store.append(stream, [stageChange(stream)], 'any')),
      hand: () => byHand(database, clients),
    });
    await Promise.all(clients.map((client) => client.end()));
    const rate = (seconds: number) => `${((WRITERS * EVENTS_A_WRITER) / seconds).toFixed(0)}/s`;
    return [{
      what: 'appends, 16 writers / the same SQL by hand',
      ours: rate(times.ours), rival: `by hand ${rate(times.hand)}`, value: times.hand / times.ours, mark: { atLeast: 0.8 },
    }];
  });
