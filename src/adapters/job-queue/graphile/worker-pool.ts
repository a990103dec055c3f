import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger, runTaskList, type TaskList, type WorkerPool as Workers } from 'graphile-worker';
import type { Pool } from 'pg';
import type { JobLog } from '../../shared/job-attempt.js';

/** Polling only finds jobs whose notification was lost. */
const POLL_INTERVAL_MS = 1000;
const RESTART_DELAY_MS = 500;

interface WorkerPoolOptions {
  readonly pool: Pool;
  readonly tasks: TaskList;
  readonly concurrency: number;
  readonly onWorker: (workerId: string) => void;
  /** Called when all workers have ended and before new ones start. */
  readonly onEnd: () => void;
  readonly log: JobLog;
}

/** Passes on errors and warnings, except those about jobs: the queue itself logs these with more detail. */
export const graphileLogger = (log: JobLog): Logger =>
  new Logger(() => (level, message, meta) => {
    if (meta?.['failure'] || (level !== 'error' && level !== 'warning')) return;
    log(level === 'error' ? 'error' : 'warn', message);
  });

/**
 * The workers of Graphile Worker. When one of them ends, all are replaced: a worker ends, and does not come back, when
 * the database becomes unavailable just as it reports the end of a job.
 */
export class WorkerPool {
  private workers: Workers;
  private stopping = false;
  private restarting: Promise<void> = Promise.resolve();

  constructor(private readonly options: WorkerPoolOptions) {
    this.workers = this.startWorkers();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.restarting;
    await this.workers.gracefulShutdown();
  }

  private startWorkers(): Workers {
    const { pool, tasks, concurrency, onWorker, log } = this.options;
    const events = new EventEmitter();
    let failed = false;
    events.on('worker:create', ({ worker }: { worker: { workerId: string } }) => onWorker(worker.workerId));
    events.on('worker:fatalError', () => {
      if (!failed && !this.stopping) this.restarting = this.restartWorkers();
      failed = true;
    });
    const settings = { noHandleSignals: true, pollInterval: POLL_INTERVAL_MS, logger: graphileLogger(log) };
    return runTaskList({ ...settings, concurrency, events }, tasks, pool);
  }

  private async restartWorkers(): Promise<void> {
    await delay(RESTART_DELAY_MS);
    await this.workers.gracefulShutdown();
    this.options.onEnd();
    if (!this.stopping) this.workers = this.startWorkers();
  }
}
