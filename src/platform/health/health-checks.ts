import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Directory } from '../../ports/directory.port.js';
import { EventStore } from '../../ports/event-store.port.js';
import { JobQueue } from '../../ports/job-queue.port.js';

type State = 'ok' | 'unavailable';
const TIMEOUT_MS = 3_000;

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
  async ofDirectory(): Promise<State | null> {
    return this.directory.url === null ? null : answered(this.directory.check());
  }

  async run(): Promise<Record<'readModels' | 'eventStore' | 'jobQueue', State>> {
    const [readModels, eventStore, jobQueue] = await Promise.all([
      answered(this.dataSource.query('SELECT 1')),
      answered(this.eventStore.head()),
      answered(this.jobQueue.counts()),
    ]);
    return { readModels, eventStore, jobQueue };
  }
}

function answered(work: Promise<unknown>): Promise<State> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('unavailable'), TIMEOUT_MS);
    work
      .then(() => resolve('ok'))
      .catch(() => resolve('unavailable'))
      .finally(() => clearTimeout(timer));
  });
}
