import type { DataSource } from 'typeorm';
import type { EventStore } from '../../../ports/event-store.port.js';
import { loadCheckpoint } from './checkpoint.js';
import { projectPages } from './project.js';
import type { Projection } from '../projection.js';

export interface FoldProgress {
  (projection: string, events: number): void;
}

/** Makes the tables of projections in a new schema, shaped like those that are served. */
export async function makeReadTables(
  live: DataSource,
  schema: string,
  projections: readonly Projection[],
): Promise<void> {
  await live.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await live.query(`CREATE SCHEMA ${schema}`);
  for (const table of ['checkpoints', ...projections.flatMap((projection) => projection.tables)]) {
    await live.query(`CREATE TABLE ${schema}.${table} (LIKE read.${table} INCLUDING ALL)`);
  }
}

/** Folds what a log holds after the projection's checkpoint into the tables on the search path of `tables`. */
export async function foldHistory(
  tables: DataSource,
  projection: Projection,
  log: Pick<EventStore, 'subscribe'>,
  progress: FoldProgress = () => undefined,
): Promise<void> {
  const stop = new AbortController();
  let from = await loadCheckpoint(tables.manager, projection);
  for await (const item of log.subscribe({ after: from, types: projection.eventTypes, signal: stop.signal })) {
    if (item.kind === 'caughtUp') break;
    if (item.cursor === from) continue;
    const events = item.kind === 'events' ? item.events : [];
    await projectPages(tables, [{ projection, events, from, to: item.cursor }], null);
    from = item.cursor;
    progress(projection.name, events.length);
  }
  stop.abort();
}
