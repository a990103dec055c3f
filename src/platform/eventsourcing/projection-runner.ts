import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Batcher } from '../../kernel/batcher.js';
import { EventStore, type SubscriptionItem } from '../../ports/event-store.port.js';
import { Locks } from '../../ports/locks.port.js';
import { logFailure, RestartingWork, whileLocked } from '../runtime/restarting-work.js';
import { kindOfFailure } from '../failures/failure-kind.js';
import { CheckpointMoved, type EventPage, loadCheckpoint, projectAround, projectPages } from './project-pages.js';
import { type Projection, ProjectionRegistry } from './projection.js';
import { ReadModelChanges } from './read-model-changes.js';
import { FailingReaders } from '../failures/failing-readers.js';
import { readerOf } from '../failures/unprocessable-events.js';

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
 * An error that does not tell its cause counts as the fault of an event when a page has failed so often, and the
 * database still answers.
 */
const MAX_TRIES_OF_UNKNOWN = 10;

/** The start of the server does not wait longer for a projection that fails again and again. */
const MAX_START_FAILING_MS = 10_000;

/** What a projection has come to when the start of the server has waited for it. */
type StartOutcome = 'complete' | 'failing';

/**
 * Runs all projections: each one first reads the history of the log, and then follows new events. A projection that
 * fails is restarted and does not delay the others. An event that a projection cannot process is recorded, and the
 * projection goes on without it. A lock ensures that each projection runs in only one process of the
 * server. A process that has lost the lock without noticing cannot write, because the checkpoint has moved.
 */
@Injectable()
export class ProjectionRunner implements OnApplicationShutdown {
  private readonly logger = new Logger('Projections');
  private readonly work = new RestartingWork();
  private readonly transaction: SharedTransaction;
  /** The number of times in a row that a page of a projection has failed. */
  private readonly tries = new Map<string, number>();

  constructor(
    private readonly registry: ProjectionRegistry,
    private readonly store: EventStore,
    private readonly dataSource: DataSource,
    private readonly changes: ReadModelChanges,
    private readonly locks: Locks,
    private readonly failing: FailingReaders,
  ) {
    this.transaction = new SharedTransaction(dataSource, changes);
  }

  /**
   * Starts all projections. Resolves when each of them has folded the events that were in the log at the start, runs in
   * another process, or has failed for 10 s. Returns the names of those that have failed: their read models lack events.
   */
  async start(): Promise<readonly string[]> {
    const names = await Promise.all(
      this.registry.findAll().map(async (projection) => {
        const outcome = await new Promise<StartOutcome>((resolve) => this.startProjection(projection, resolve));
        return outcome === 'complete' ? [] : [projection.name];
      }),
    );
    return names.flat();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.work.stop();
  }

  private startProjection(projection: Projection, onStarted: (outcome: StartOutcome) => void): void {
    const reader = readerOf.projection(projection.name);
    const onCaughtUp = (): void => onStarted('complete');
    const follow = (held: AbortSignal): Promise<void> => this.followLog(projection, held, onCaughtUp);
    const onFailure = logFailure(this.logger, `The projection "${projection.name}"`);
    const lock = `projection ${projection.name}`;
    const onTaken = (): void => {
      // What failed here before runs in another process now, which knows how it goes there.
      this.failing.forget(reader);
      onCaughtUp();
    };
    this.work.start(whileLocked(this.locks, lock, follow, onTaken), (error, waitMs) => {
      if (error instanceof CheckpointMoved) return;
      onFailure(error, waitMs);
      const failingMs = Date.now() - this.failing.noteFailure(reader, error).getTime();
      if (failingMs >= MAX_START_FAILING_MS || kindOfFailure(error) === 'program') onStarted('failing');
    });
  }

  private async followLog(projection: Projection, signal: AbortSignal, onCaughtUp: () => void): Promise<void> {
    let cursor = await loadCheckpoint(this.dataSource.manager, projection);
    for await (const item of this.store.subscribe({ after: cursor, types: projection.eventTypes, signal })) {
      cursor = await this.foldItem(projection, cursor, item);
      this.failing.forget(readerOf.projection(projection.name));
      if (item.kind === 'caughtUp') onCaughtUp();
    }
  }

  private async foldItem(projection: Projection, from: string | null, item: SubscriptionItem): Promise<string | null> {
    if (this.store.compareCursors(item.cursor, from) === 0) return from;
    const events = item.kind === 'events' ? item.events : [];
    await this.foldPage({ projection, events, from, to: item.cursor });
    return item.cursor;
  }

  private async foldPage(page: EventPage): Promise<void> {
    const { name } = page.projection;
    try {
      await this.transaction.foldPage(page);
    } catch (error) {
      const tries = (this.tries.get(name) ?? 0) + 1;
      this.tries.set(name, tries);
      const isFault = (fault: unknown): boolean => {
        const kind = kindOfFailure(fault);
        return kind === 'event' || (kind === 'unknown' && tries >= MAX_TRIES_OF_UNKNOWN);
      };
      if (error instanceof CheckpointMoved || !isFault(error)) throw error;
      await projectAround(this.dataSource, page, this.changes, isFault);
    }
    this.tries.delete(name);
  }
}
