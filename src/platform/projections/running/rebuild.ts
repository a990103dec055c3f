import type { DataSource } from 'typeorm';
import type { EventStore } from '../../../ports/event-store.port.js';
import { foldHistory, makeReadTables, type FoldProgress } from './fold.js';
import type { Projection } from '../projection.js';

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
