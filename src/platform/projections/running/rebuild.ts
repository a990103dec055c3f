import type { DataSource } from 'typeorm';
import type { EventStore } from '../../../ports/event-store.port.js';
import { loadCheckpoint } from './checkpoint.js';
import { project } from './project.js';
import type { Projection } from '../projection.js';

export interface RebuildProgress {
  (projection: string, events: number): void;
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
    private readonly progress: RebuildProgress = () => undefined,
  ) {}

  async run(): Promise<void> {
    await this.makeTables();
    await this.foldAll();
    await this.switchOver();
    await this.live.query('DROP SCHEMA IF EXISTS read_old CASCADE');
  }

  private async makeTables(): Promise<void> {
    const tables = ['checkpoints', ...this.projections.flatMap((projection) => projection.tables)];
    await this.live.query('DROP SCHEMA IF EXISTS read_next CASCADE');
    await this.live.query('DROP SCHEMA IF EXISTS read_old CASCADE');
    await this.live.query('CREATE SCHEMA read_next');
    for (const table of tables) {
      await this.live.query(`CREATE TABLE read_next.${table} (LIKE read.${table} INCLUDING ALL)`);
    }
  }

  private async foldAll(): Promise<void> {
    for (const projection of this.projections) await this.fold(projection);
  }

  private async fold(projection: Projection): Promise<void> {
    const stop = new AbortController();
    let from = await loadCheckpoint(this.next.manager, projection);
    const items = this.store.subscribe({ after: from, types: projection.eventTypes, signal: stop.signal });
    for await (const item of items) {
      const events = item.kind === 'events' ? item.events : [];
      if (item.cursor !== from && item.kind !== 'caughtUp') {
        await project(this.next, projection, { events, from, to: item.cursor }, null);
        from = item.cursor;
        this.progress(projection.name, events.length);
      }
      if (item.kind === 'caughtUp') break;
    }
    stop.abort();
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
