import type { DataSource } from 'typeorm';
import type { EventStore } from '../../ports/event-store.port.js';
import { kindOfFailure } from '../failures/failure-kind.js';
import { CheckpointMoved, type EventPage, loadCheckpoint, projectAround, projectPages } from './project-pages.js';
import type { Projection } from './projection.js';
import { forgetFailuresIn, replaceProjectionFailures } from '../failures/unprocessable-events.js';

/** Is called after each page, with the name of the projection and the number of events in the page. */
export interface FoldProgress {
  (projection: string, events: number): void;
}

/**
 * Creates empty tables of projections in a new schema, like those in the schema `read`. Deletes an earlier schema of
 * this name.
 */
export async function makeReadTables(
  live: DataSource,
  schema: string,
  projections: readonly Projection[],
): Promise<void> {
  await dropReadTables(live, schema);
  await live.query(`CREATE SCHEMA ${schema}`);
  for (const table of ['checkpoints', ...projections.flatMap((projection) => projection.tables)]) {
    await live.query(`CREATE TABLE ${schema}.${table} (LIKE read.${table} INCLUDING ALL)`);
  }
}

/** Deletes the tables that `makeReadTables` has created, and what is recorded of failures to fold into them. */
export async function dropReadTables(live: DataSource, schema: string): Promise<void> {
  await live.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await forgetFailuresIn(live, schema);
}

/**
 * Folds a page. Events that the projection cannot process are recorded and left out, also when the error does not tell
 * its cause: the rest of the page shows that the database answers.
 */
async function foldPage(tables: DataSource, page: EventPage): Promise<void> {
  try {
    await projectPages(tables, [page], null);
  } catch (error) {
    if (error instanceof CheckpointMoved || !isFaultOfEvent(error)) throw error;
    await projectAround(tables, page, null, isFaultOfEvent);
  }
}

const isFaultOfEvent = (error: unknown): boolean => ['event', 'unknown'].includes(kindOfFailure(error));

/**
 * Folds the events of a log after the checkpoint of the projection into the tables on the search path of `tables`.
 * Resolves when the events that were in the log at the start are folded. An event that the projection cannot process is
 * recorded and left out.
 * @throws CheckpointMoved when another process moves the checkpoint; what the projection throws for another reason
 */
export async function foldHistory(
  tables: DataSource,
  projection: Projection,
  log: Pick<EventStore, 'subscribe'>,
  progress: FoldProgress = () => undefined,
): Promise<void> {
  const stop = new AbortController();
  let from = await loadCheckpoint(tables.manager, projection);
  for await (const item of log.subscribe({ after: from, types: projection.eventTypes, signal: stop.signal })) {
    if (item.cursor !== from) {
      const events = item.kind === 'events' ? item.events : [];
      // Also without any event: a checkpoint that stays at the beginning of the log would count as one that stands still.
      await foldPage(tables, { projection, events, from, to: item.cursor });
      from = item.cursor;
      progress(projection.name, events.length);
    }
    if (item.kind === 'caughtUp') break;
  }
  stop.abort();
}

/**
 * Builds all read models again from the log, in the schema `read_next`, while the old ones are served and kept up to
 * date. Then it replaces the old schema by the new one. When a rebuild is interrupted, the old read models stay, and
 * the next rebuild starts from the beginning.
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

  /** Resolves when the new read models are served. */
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
   * Folds the last events and switches the schemas. The lock stops the running projections during this time. A
   * projection that waited for the lock continues from its checkpoint in the new schema.
   */
  private async switchOver(): Promise<void> {
    await this.live.transaction(async (tx) => {
      await tx.query('LOCK TABLE read.checkpoints IN EXCLUSIVE MODE');
      await this.foldAll();
      await replaceProjectionFailures(tx);
      await tx.query('ALTER SCHEMA read RENAME TO read_old');
      await tx.query('ALTER SCHEMA read_next RENAME TO read');
    });
  }
}
