import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Batcher } from '../../kernel/batcher.js';
import { EventStore, type SubscriptionItem } from '../../ports/event-store.port.js';
import { Locks } from '../../ports/locks.port.js';
import { logFailure, RestartingWork, whileLocked } from '../runtime/restarting-work.js';
import { CheckpointMoved, type EventPage, loadCheckpoint, projectPages } from './project-pages.js';
import { type Projection, ProjectionRegistry } from './projection.js';
import { ReadModelChanges } from './read-model-changes.js';

/**
 * A page with more events than this has a transaction of its own, so that live events do not wait for pages of history.
 */
const MAX_SHARED_EVENTS = 100;

/**
 * Folds the pages that several projections have at the same time in one transaction. When each projection had its own,
 * the events of one package led to seven transactions, which were most of the work of the database. When a page fails,
 * each page is repeated in its own transaction, so that the failing one does not delay the others.
 */
class SharedTransaction {
  private readonly pages: Batcher<EventPage, void>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ReadModelChanges,
  ) {
    this.pages = new Batcher<EventPage, void>({
      run: async (pages) => {
        await projectPages(dataSource, pages, changes);
        return pages.map(() => undefined);
      },
      // All projections that receive the same events add their pages within the same turn of the event loop.
      schedule: setImmediate,
      maxItems: Infinity,
      afterFailure: () => 'each at once',
    });
  }

  /** Resolves when the page is committed. @throws CheckpointMoved; what the projection throws */
  foldPage(page: EventPage): Promise<void> {
    if (page.events.length > MAX_SHARED_EVENTS) return projectPages(this.dataSource, [page], this.changes);
    return this.pages.add(page);
  }
}

/**
 * Runs all projections: each one first reads the history of the log, and then follows new events. A projection that
 * fails is restarted and does not delay the others. A lock ensures that each projection runs in only one process of the
 * server. A process that has lost the lock without noticing cannot write, because the checkpoint has moved.
 */
@Injectable()
export class ProjectionRunner implements OnApplicationShutdown {
  private readonly logger = new Logger('Projections');
  private readonly work = new RestartingWork();
  private readonly transaction: SharedTransaction;

  constructor(
    private readonly registry: ProjectionRegistry,
    private readonly store: EventStore,
    private readonly dataSource: DataSource,
    changes: ReadModelChanges,
    private readonly locks: Locks,
  ) {
    this.transaction = new SharedTransaction(dataSource, changes);
  }

  /**
   * Starts all projections. Resolves when each of them has folded the events that were in the log at the start, or runs
   * in another process.
   */
  async start(): Promise<void> {
    const caughtUp = this.registry.findAll().map(
      (projection) =>
        new Promise<void>((resolve) => {
          this.startProjection(projection, resolve);
        }),
    );
    await Promise.all(caughtUp);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.work.stop();
  }

  private startProjection(projection: Projection, onCaughtUp: () => void): void {
    const follow = (held: AbortSignal): Promise<void> => this.followLog(projection, held, onCaughtUp);
    const onFailure = logFailure(this.logger, `The projection "${projection.name}"`);
    const lock = `projection ${projection.name}`;
    this.work.start(whileLocked(this.locks, lock, follow, onCaughtUp), (error, waitMs) => {
      if (!(error instanceof CheckpointMoved)) onFailure(error, waitMs);
    });
  }

  private async followLog(projection: Projection, signal: AbortSignal, onCaughtUp: () => void): Promise<void> {
    let cursor = await loadCheckpoint(this.dataSource.manager, projection);
    for await (const item of this.store.subscribe({ after: cursor, types: projection.eventTypes, signal })) {
      cursor = await this.foldItem(projection, cursor, item);
      if (item.kind === 'caughtUp') onCaughtUp();
    }
  }

  private async foldItem(projection: Projection, from: string | null, item: SubscriptionItem): Promise<string | null> {
    if (item.kind === 'caughtUp' || item.cursor === from) return from;
    const events = item.kind === 'events' ? item.events : [];
    await this.transaction.foldPage({ projection, events, from, to: item.cursor });
    return item.cursor;
  }
}
