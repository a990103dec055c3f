import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { EventStore, type SubscriptionItem } from '../../../ports/event-store.port.js';
import { Locks } from '../../../ports/locks.port.js';
import { runWithRestart } from '../../reactions/keep-trying.js';
import { CheckpointMoved, loadCheckpoint } from './checkpoint.js';
import type { Projection } from '../projection.js';
import { ProjectionRegistry } from '../projection-registry.js';
import { ReadModelChanges } from '../read-model-changes.js';
import { SharedTransaction } from './shared-transaction.js';

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
    await this.transaction.fold({ projection, events, from, to: item.cursor });
    return item.cursor;
  }
}
