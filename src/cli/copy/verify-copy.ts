import { isDeepStrictEqual } from 'node:util';
import type { DataSource } from 'typeorm';
import { StartupError } from '../../kernel/errors.js';
import type { RecordedEvent } from '../../kernel/events.js';
import { dropReadTables, foldHistory, makeReadTables } from '../../platform/eventsourcing/rebuild.js';
import type { DatabaseSettings } from '../../ports/database.port.js';
import type { EventStore, SubscribeOptions, SubscriptionItem } from '../../ports/event-store.port.js';
import { connectReadSchema } from '../../server/boot/data-source.js';
import { allProjections } from '../../server/boot/read-models.js';
import type { LogPosition } from './copy-log.js';
import type { Endpoint } from './endpoints.js';
import { readSideBySide } from './read-log.js';
import type { CopyReport, Verified } from './report.js';

const COMPARED_FIELDS = [
  'id',
  'stream',
  'revision',
  'type',
  'recordedAt',
  'data',
  'metadata',
] as const satisfies readonly (keyof RecordedEvent)[];

/**
 * Every event of the target beside that of the source. What the source has more has come since the copy.
 * @param events that the target holds @throws StartupError with the first difference
 */
async function compareLogs(source: EventStore, target: EventStore, events: number, signal: AbortSignal): Promise<void> {
  let n = 0;
  for await (const [ours, theirs] of readSideBySide(source, target, signal)) {
    if (n === events && !theirs) return;
    n += 1;
    if (!ours || !theirs)
      throw new StartupError(`The logs differ: event ${n} is in the ${ours ? 'source' : 'target'} only.`);
    const field = COMPARED_FIELDS.find((name) => !isDeepStrictEqual(ours[name], theirs[name]));
    if (field)
      throw new StartupError(
        `The logs differ: event ${n} (${ours.type} ${ours.id} in ${ours.stream}) has a different ${field}.`,
      );
  }
  if (n < events)
    throw new StartupError(`The logs differ: the source ends after ${n} events, but ${events} were copied.`);
}

type ReadableLog = Pick<EventStore, 'subscribe'>;

/** A view of the log up to the event at `end`; an empty log when that is null. */
const logUpTo = (store: EventStore, end: string | null): ReadableLog => ({
  subscribe: (options) => subscribeUpTo(store, end, options),
});

async function* subscribeUpTo(
  store: EventStore,
  end: string | null,
  options: SubscribeOptions,
): AsyncGenerator<SubscriptionItem> {
  if (end === null) return;
  for await (const item of store.subscribe(options)) {
    if (item.kind !== 'events') yield item;
    else yield { ...item, events: item.events.filter(({ cursor }) => store.compareCursors(cursor, end) <= 0) };
    if (store.compareCursors(item.cursor, end) >= 0) return;
  }
}

interface Difference {
  readonly side: string;
  readonly row: string;
}

/** Maximum number of characters of a row that are shown. */
const MAX_SHOWN_CHARACTERS = 300;

/**
 * Compares tables of both scratch schemas. `checkpoints` is none of them: it alone holds cursors, which mean something
 * only in the log that they are of. @returns how many rows there are @throws StartupError with the first difference
 */
async function compareTables(database: DataSource, tables: readonly string[]): Promise<number> {
  let count = 0;
  for (const table of tables) {
    const differences: Difference[] = await database.query(differencesSql(table));
    const [first] = differences;
    if (first)
      throw new StartupError(
        `The read models differ: ${table} of the ${first.side} has the row ${first.row.slice(0, MAX_SHOWN_CHARACTERS)}`,
      );
    const rows: { count: string }[] = await database.query(`SELECT count(*) AS count FROM copy_to.${table}`);
    count += Number(rows[0]?.count ?? 0);
  }
  return count;
}

const differencesSql = (table: string): string => `
WITH ours AS (SELECT t::text AS row FROM copy_from.${table} t), theirs AS (SELECT t::text AS row FROM copy_to.${table} t)
SELECT * FROM (
  SELECT 'source' AS side, row FROM (SELECT row FROM ours EXCEPT ALL SELECT row FROM theirs) a
  UNION ALL
  SELECT 'target', row FROM (SELECT row FROM theirs EXCEPT ALL SELECT row FROM ours) b
) d ORDER BY row LIMIT 1`;

const SCRATCH_SCHEMAS = ['copy_from', 'copy_to'] as const;

/**
 * Builds the read models of both logs in schemas of their own, which are dropped again, and compares them row by row.
 * @param database a PostgreSQL with this program's tables; those that are served are not touched
 * @returns how many rows are the same @throws StartupError with the first difference
 */
async function compareReadModels(
  database: DatabaseSettings,
  source: ReadableLog,
  target: ReadableLog,
): Promise<number> {
  const projections = allProjections();
  const [live, ...scratch] = await Promise.all(
    (['read', ...SCRATCH_SCHEMAS] as const).map((schema) => connectReadSchema(database, schema)),
  );
  if (!live) throw new Error('unreachable');
  try {
    for (const schema of SCRATCH_SCHEMAS) await makeReadTables(live, schema, projections);
    await Promise.all([source, target].map((log, i) => buildReadModels(scratch[i], log)));
    return await compareTables(
      live,
      projections.flatMap(({ tables }) => tables),
    );
  } finally {
    await Promise.all(scratch.map((tables) => tables.destroy()));
    for (const schema of SCRATCH_SCHEMAS) await dropReadTables(live, schema);
    await live.destroy();
  }
}

async function buildReadModels(tables: DataSource | undefined, log: ReadableLog): Promise<void> {
  if (!tables) throw new Error('unreachable');
  for (const projection of allProjections()) await foldHistory(tables, projection, log);
}

/** Compares both logs event by event, and the read models that are made from them. @throws StartupError */
export async function verifyCopy(
  source: Endpoint,
  target: Endpoint,
  place: LogPosition,
  report: CopyReport,
  signal: AbortSignal,
): Promise<Verified> {
  report.printLine('Comparing the events');
  await compareLogs(source.store, target.store, place.events, signal);
  const database = target.database ?? source.database;
  if (!database) {
    report.printLine('The read models are not compared: that needs a PostgreSQL at one end.');
    return { events: place.events, readModelRows: null };
  }
  report.printLine('Building the read models of both logs');
  const [ours, theirs] = [logUpTo(source.store, place.cursor), logUpTo(target.store, await target.store.head())];
  return { events: place.events, readModelRows: await compareReadModels(database, ours, theirs) };
}
