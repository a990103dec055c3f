import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { pause } from '../../kernel/retry.js';
import { EventStore } from '../../ports/event-store.port.js';
import { AsBackgroundTask, type BackgroundTask } from '../runtime/background-tasks.js';
import { FailingReaders } from './failing-readers.js';
import { ProjectionRegistry } from '../eventsourcing/projection.js';
import { readerOf } from './unprocessable-events.js';

const CHECK_INTERVAL_MS = 5_000;
/** A checkpoint that is behind the log and has not moved for this time stands still. */
const STANDS_STILL_AFTER_MS = 30_000;

/** A projection whose read models do not follow the log any more. */
export interface StandingProjection {
  readonly name: string;
  readonly since: Date;
  /** The last error; null when the projection runs in another process. */
  readonly reason: string | null;
}

interface SeenCheckpoint {
  readonly cursor: string | null;
  readonly since: Date;
}

/**
 * Watches whether the projections follow the log, in whichever process each of them runs: every 5 s, and whenever
 * somebody asks.
 */
@AsBackgroundTask({ name: 'projection progress', phase: 'observe', roles: ['all', 'api', 'worker'] })
@Injectable()
export class ProjectionProgress implements BackgroundTask {
  private readonly logger = new Logger('Projections');
  /** The checkpoints that were behind the log when they were last seen. */
  private readonly behind = new Map<string, SeenCheckpoint>();
  private logged = '';

  constructor(
    private readonly registry: ProjectionRegistry,
    private readonly store: EventStore,
    private readonly dataSource: DataSource,
    private readonly failing: FailingReaders,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await pause(CHECK_INTERVAL_MS, [signal]);
      if (signal.aborted) return;
      await this.findStanding();
    }
  }

  /**
   * The projections that stand still now: those that fail again and again in this process, and those whose checkpoint
   * is behind the log and does not move.
   * @param now is the time in milliseconds since 1970
   * @throws when the database or the log does not answer
   */
  async findStanding(now = Date.now()): Promise<readonly StandingProjection[]> {
    await this.observe(now);
    const failing = new Map(this.failing.list(now).map((one) => [one.reader, one]));
    const standing = this.registry.findAll().flatMap(({ name }): StandingProjection[] => {
      const failure = failing.get(readerOf.projection(name));
      const seen = this.behind.get(name);
      const isStill = seen !== undefined && now - seen.since.getTime() >= STANDS_STILL_AFTER_MS;
      if (failure) return [{ name, since: failure.since, reason: failure.reason }];
      return isStill ? [{ name, since: seen.since, reason: null }] : [];
    });
    this.logChange(standing.map(({ name }) => name).join(', '));
    return standing;
  }

  /** Compares the checkpoints with the end of the log. */
  private async observe(now: number): Promise<void> {
    const rows: { projection: string; cursor: string | null }[] = await this.dataSource.query(
      'SELECT projection, cursor FROM checkpoints',
    );
    // The head is read after the checkpoints were, but at once: a checkpoint that moves will be seen as another one.
    const head = await this.store.head();
    const cursors = new Map(rows.map(({ projection, cursor }) => [projection, cursor]));
    for (const { name } of this.registry.findAll()) {
      const cursor = cursors.get(name) ?? null;
      if (this.store.compareCursors(cursor, head) >= 0) this.behind.delete(name);
      else if (this.behind.get(name)?.cursor !== cursor || !this.behind.has(name))
        this.behind.set(name, { cursor, since: new Date(now) });
    }
  }

  private logChange(names: string): void {
    if (names === this.logged) return;
    if (names === '') this.logger.log('All projections follow the log again');
    else this.logger.error(`These projections stand still, so that lists do not show what happens: ${names}`);
    this.logged = names;
  }
}
