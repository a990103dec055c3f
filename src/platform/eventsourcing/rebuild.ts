import type { DataSource } from 'typeorm';
import type { EventStore } from '../../ports/event-store.port.js';
import { loadCheckpoint, projectPages } from './project-pages.js';
import type { Projection } from './projection.js';

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

/**
 * Builds all read models anew from the log, in the schema `read_next`, while the old ones are served and kept up to
 * date; then puts the new schema in the place of the old one. Cut off at any point, the old ones stay and the next
 * rebuild begins afresh.
 */
export class Rebuild {
  constructor(
    /** Connections whose search path is the schema that is served. */
    private readonly live: DataSource,
    /** Connections whose search path is `read_next`. */
    private readonly next: DataSource,
    private readonly projections: readonly Projection[],
    private readonly store: EventStore,
    private readonly progress: FoldProgress = () => undefined,
  ) {}

  async run(): Promise<void> {
    await this.makeTables();
    await this.foldAll();
    await this.switchOver();
    await this.live.query('DROP SCHEMA IF EXISTS read_old CASCADE');
  }

  private async makeTables(): Promise<void> {
    await this.live.query('DROP SCHEMA IF EXISTS read_old CASCADE');
    await makeReadTables(this.live, 'read_next', this.projections);
  }

  private async foldAll(): Promise<void> {
    for (const projection of this.projections) await foldHistory(this.next, projection, this.store, this.progress);
  }

  /**
   * The lock keeps the running projections still while the last events are folded. One that was waiting for it finds
   * its checkpoint in the new schema afterwards and goes on from there.
   */
  private async switchOver(): Promise<void> {
    await this.live.transaction(async (tx) => {
      await tx.query('LOCK TABLE read.checkpoints IN EXCLUSIVE MODE');
      await this.foldAll();
      await tx.query('ALTER SCHEMA read RENAME TO read_old');
      await tx.query('ALTER SCHEMA read_next RENAME TO read');
    });
  }
}
