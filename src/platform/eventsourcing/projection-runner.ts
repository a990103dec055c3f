import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Batcher } from '../../kernel/batcher.js';
import { EventStore, type SubscriptionItem } from '../../ports/event-store.port.js';
import { Locks } from '../../ports/locks.port.js';
import { logFailure, RestartingWork, whileLocked } from '../runtime/restarting-work.js';
import { CheckpointMoved, type EventPage, loadCheckpoint, projectPages } from './project-pages.js';
import { type Projection, ProjectionRegistry } from './projection.js';
import { ReadModelChanges } from './read-model-changes.js';

/** A page of history has a transaction of its own: the live ones do not wait for it. */
const MAX_SHARED_EVENTS = 100;

/**
 * Folds the pages that several projections have at the same time in one transaction: seven transactions for the events
 * of one package were most of what the database had to do for it. When one page fails, each gets its own transaction, so
 * that it holds up no other.
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
      // All projections that hear of the same events add their pages within this turn of the event loop.
      schedule: setImmediate,
      maxItems: Infinity,
      afterFailure: () => 'each at once',
    });
  }

  /** Resolves when the page is committed. @throws CheckpointMoved, and what its projection failed with */
  foldPage(page: EventPage): Promise<void> {
    if (page.events.length > MAX_SHARED_EVENTS) return projectPages(this.dataSource, [page], this.changes);
    return this.pages.add(page);
  }
}

/**
 * Keeps every read model up to date: history first, then live. A failing one is retried and holds up no other. Each
 * runs in one process of the server; the checkpoint keeps out one that has lost its lock and does not know yet.
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

  /** Resolves when each read model has caught up with what the log held at the start, or is run by another process. */
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
