import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { ReadModelChanges } from '../read-model-changes.js';
import { projectPages, type EventPage } from './project.js';

/** A page of history has a transaction of its own: the live ones do not wait for it. */
const MAX_SHARED_EVENTS = 100;

interface Waiting {
  readonly page: EventPage;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Folds the pages that several projections have at the same time in one transaction: seven of them for the events of
 * one package were most of what the database had to do for it. When one fails, each has its own, so that it holds up
 * no other. What comes while one is committed goes into the next: the more there is to do, the more share it.
 */
export class SharedTransaction {
  private waiting: Waiting[] = [];
  private running = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly changes: ReadModelChanges,
  ) {}

  /** Resolves when the page is committed. @throws CheckpointMoved, and what its projection failed with */
  fold(page: EventPage): Promise<void> {
    if (page.events.length > MAX_SHARED_EVENTS) return projectPages(this.dataSource, [page], this.changes);
    return new Promise((resolve, reject) => {
      this.waiting.push({ page, resolve, reject });
      if (!this.running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    // All that hear of the same events hand in their pages within this turn.
    await nextTurn();
    while (this.waiting.length > 0) {
      const group = this.waiting;
      this.waiting = [];
      await this.commit(group);
    }
    this.running = false;
  }

  private async commit(group: readonly Waiting[]): Promise<void> {
    try {
      await projectPages(
        this.dataSource,
        group.map(({ page }) => page),
        this.changes,
      );
      for (const { resolve } of group) resolve();
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else await Promise.all(group.map((one) => this.commit([one])));
    }
  }
}
