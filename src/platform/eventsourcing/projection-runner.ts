import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Batcher } from '../../kernel/batcher.js';
import { EventStore, type SubscriptionItem } from '../../ports/event-store.port.js';
import { Locks } from '../../ports/locks.port.js';
import { runWithRestart } from '../runtime/run-with-restart.js';
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
  private readonly stopping = new AbortController();
  private readonly transaction: SharedTransaction;
  private running: Promise<void>[] = [];

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
    const caughtUp = this.registry.all().map(
      (projection) =>
        new Promise<void>((resolve) => {
          this.running.push(this.keepRunning(projection, resolve));
        }),
    );
    await Promise.all(caughtUp);
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.running);
  }

  private keepRunning(projection: Projection, onCaughtUp: () => void): Promise<void> {
    const { signal } = this.stopping;
    const name = `projection ${projection.name}`;
    const work = async (): Promise<void> => {
      await this.locks.hold(name, signal, (held) => this.follow(projection, held, onCaughtUp), onCaughtUp);
    };
    return runWithRestart(signal, work, (error, waitMs) => {
      if (error instanceof CheckpointMoved) return;
      this.logger.error(`${projection.name}: ${String(error)}. Trying again in ${waitMs} ms.`);
    });
  }

  private async follow(projection: Projection, signal: AbortSignal, onCaughtUp: () => void): Promise<void> {
    let cursor = await loadCheckpoint(this.dataSource.manager, projection);
    for await (const item of this.store.subscribe({ after: cursor, types: projection.eventTypes, signal })) {
      cursor = await this.handle(projection, cursor, item);
      if (item.kind === 'caughtUp') onCaughtUp();
    }
  }

  private async handle(projection: Projection, from: string | null, item: SubscriptionItem): Promise<string | null> {
    if (item.kind === 'caughtUp' || item.cursor === from) return from;
    const events = item.kind === 'events' ? item.events : [];
    await this.transaction.foldPage({ projection, events, from, to: item.cursor });
    return item.cursor;
  }
}
