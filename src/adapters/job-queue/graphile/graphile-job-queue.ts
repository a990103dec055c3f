import { runMigrations, type TaskList } from 'graphile-worker';
import { Pool } from 'pg';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import {
  JobQueue,
  type FailedJob,
  type JobAtWork,
  type JobHandler,
  type NewJob,
  type QueueCounts,
} from '../../../ports/job-queue.port.js';
import type { JobLog } from '../../shared/job-attempt.js';
import { DueJobAlarm } from './alarm.js';
import { Liveness } from './liveness.js';
import { type JobContext, RateGate, runJob } from './run-job.js';
import { countJobs, failedJobs, insertJobs, leaveMark, runningJobs } from './job-table.js';
import { graphileLogger, WorkerPool } from './worker-pool.js';

/** Connections for enqueueing, retries and the LISTEN of Graphile Worker, in addition to one for each running job. */
const SPARE_CONNECTIONS = 3;

/** A job queue in PostgreSQL. Graphile Worker creates and migrates its schema `graphile_worker` itself. */
export class GraphileJobQueue extends JobQueue {
  private readonly pool: Pool;
  private readonly alarm: DueJobAlarm;
  private readonly liveness: Liveness;
  private readonly aborting = new AbortController();
  private migrated: Promise<void> | null = null;
  private workers: WorkerPool | null = null;

  constructor(
    settings: DatabaseSettings,
    private readonly log: JobLog = () => undefined,
  ) {
    super();
    // The queue can be refilled from the event log, so a commit does not wait for the disk.
    const options = '-c synchronous_commit=off';
    const limits = { connectionTimeoutMillis: 5000, keepAlive: true };
    this.pool = new Pool({ ...settings, ...limits, options, application_name: 'odst jobs' });
    this.pool.on('error', () => undefined);
    this.alarm = new DueJobAlarm(this.pool);
    this.liveness = new Liveness(settings, () => this.alarm.ringIn(0));
  }

  override async enqueue(jobs: readonly NewJob[]): Promise<void> {
    if (jobs.length === 0) return;
    await this.migrateOnce();
    await insertJobs(this.pool, jobs);
    for (const { runAt } of jobs) if (runAt) this.alarm.ringIn(runAt.getTime() - Date.now());
  }

  override async startWork(handlers: readonly JobHandler[], concurrency: number): Promise<void> {
    if (this.workers) throw new Error('This queue has workers already');
    await this.migrateOnce();
    await this.liveness.start();
    this.pool.options.max = concurrency + SPARE_CONNECTIONS;
    const { pool, log } = this;
    const onWorker = (id: string): void => this.liveness.addWorker(id);
    const onEnd = (): void => this.liveness.forgetWorkers();
    this.workers = new WorkerPool({ pool, tasks: this.tasksOf(handlers), concurrency, onWorker, onEnd, log });
  }

  override async countJobs(): Promise<QueueCounts> {
    await this.migrateOnce();
    return countJobs(this.pool);
  }

  override async findRunning(): Promise<readonly JobAtWork[]> {
    await this.migrateOnce();
    return runningJobs(this.pool);
  }

  override async findFailed(first: number): Promise<readonly FailedJob[]> {
    await this.migrateOnce();
    return failedJobs(this.pool, first);
  }

  override async leaveMark(): Promise<boolean> {
    await this.migrateOnce();
    return leaveMark(this.pool);
  }

  override async stop(): Promise<void> {
    this.aborting.abort();
    this.alarm.stop();
    await this.workers?.stop();
    await this.liveness.stop();
    await this.pool.end();
  }

  private tasksOf(handlers: readonly JobHandler[]): TaskList {
    const gates = new Map(
      handlers.flatMap(({ name, rateLimit }) => (rateLimit ? [[name, new RateGate(rateLimit)] as const] : [])),
    );
    const context: JobContext = {
      pool: this.pool,
      alarm: this.alarm,
      signal: this.aborting.signal,
      log: this.log,
      gates,
    };
    return Object.fromEntries(
      handlers.map(
        (handler) =>
          [handler.name, (_payload, { job }) => runJob(handler, job, context)] satisfies [string, TaskList[string]],
      ),
    );
  }

  private migrateOnce(): Promise<void> {
    const options = { pgPool: this.pool, logger: graphileLogger(this.log) };
    this.migrated ??= runMigrations(options).catch((error: unknown) => {
      this.migrated = null;
      throw error;
    });
    return this.migrated;
  }
}
