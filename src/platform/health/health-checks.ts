import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Directory } from '../../ports/directory.port.js';
import { EventStore } from '../../ports/event-store.port.js';
import { JobQueue } from '../../ports/job-queue.port.js';

type EngineState = 'ok' | 'unavailable';
const CHECK_TIMEOUT_MS = 3_000;

/** Asks each engine for something small, for three seconds at most. */
@Injectable()
export class HealthChecks {
  constructor(
    private readonly dataSource: DataSource,
    private readonly eventStore: EventStore,
    private readonly jobQueue: JobQueue,
    private readonly directory: Directory,
  ) {}

  /** Null without one. Local accounts go on without it, so it is told and does not count. */
  async checkDirectory(): Promise<EngineState | null> {
    return this.directory.url === null ? null : stateWithinTimeout(this.directory.check());
  }

  async checkEngines(): Promise<Record<'readModels' | 'eventStore' | 'jobQueue', EngineState>> {
    const [readModels, eventStore, jobQueue] = await Promise.all([
      stateWithinTimeout(this.dataSource.query('SELECT 1')),
      stateWithinTimeout(this.eventStore.head()),
      stateWithinTimeout(this.jobQueue.counts()),
    ]);
    return { readModels, eventStore, jobQueue };
  }
}

function stateWithinTimeout(work: Promise<unknown>): Promise<EngineState> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('unavailable'), CHECK_TIMEOUT_MS);
    work
      .then(() => resolve('ok'))
      .catch(() => resolve('unavailable'))
      .finally(() => clearTimeout(timer));
  });
}
