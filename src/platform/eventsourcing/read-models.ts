import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Refusal } from '../../kernel/errors.js';
import { EventStore } from '../../ports/event-store.port.js';
import type { Receipt } from './command-runner.js';
import { ProjectionRegistry } from './projection.js';
import { ReadModelChanges } from './read-model-changes.js';

/** After this time without a notification, the checkpoints are read from the database. */
const POLL_INTERVAL_MS = 200;

/** Knows up to which cursor each read model of this server is complete, in whichever process its projection runs. */
@Injectable()
export class ReadModels {
  private readonly cursors = new Map<string, string>();

  constructor(
    private readonly store: EventStore,
    private readonly registry: ProjectionRegistry,
    private readonly changes: ReadModelChanges,
    private readonly dataSource: DataSource,
  ) {
    changes.onCursor((projection, cursor) => this.cursors.set(projection, cursor));
  }

  /**
   * Waits until every read model that shows these events contains them. After this, all processes of the server show
   * the change.
   * @throws Refusal UNAVAILABLE after `timeoutMs` milliseconds; the change itself is recorded
   */
  async reflect(receipt: Receipt, timeoutMs = 15_000): Promise<void> {
    if (receipt.cursor === null) return;
    const names = this.registry.namesShowing(receipt.types);
    const deadline = Date.now() + timeoutMs;
    while (!this.havePassed(names, receipt.cursor)) {
      if (Date.now() > deadline) {
        throw new Refusal(
          'UNAVAILABLE',
          'The change is recorded, but the read model does not show it yet. Read it again in a moment.',
        );
      }
      const polled = await this.waitForProgress();
      if (polled) await this.loadCursors();
    }
  }

  private havePassed(names: readonly string[], cursor: string): boolean {
    return names.every((name) => this.store.compareCursors(this.cursors.get(name) ?? null, cursor) >= 0);
  }

  /**
   * Waits for the next notification, and resolves with false. Resolves with true after 200 ms without one, because
   * notifications are lost while the listener reconnects.
   */
  private waitForProgress(): Promise<boolean> {
    return new Promise((resolve) => {
      const stop = this.changes.onCursor(() => finish(false));
      const timer = setTimeout(() => finish(true), POLL_INTERVAL_MS);
      const finish = (polled: boolean) => {
        stop();
        clearTimeout(timer);
        resolve(polled);
      };
    });
  }

  private async loadCursors(): Promise<void> {
    const rows: { projection: string; cursor: string | null }[] = await this.dataSource.query(
      'SELECT projection, cursor FROM checkpoints',
    );
    for (const row of rows) if (row.cursor !== null) this.cursors.set(row.projection, row.cursor);
  }
}
