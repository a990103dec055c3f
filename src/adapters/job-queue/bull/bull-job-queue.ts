import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Queue } from 'bull';
import {
  JobQueue,
  type FailedJob,
  type JobAtWork,
  type JobHandler,
  type NewJob,
  type QueueCounts,
} from '../../../ports/job-queue.port.js';
import type { JobLog } from '../../shared/job-attempt.js';
import { answerOf, countJobs, enqueueJobs, failedJobs, runningJobs } from './queue-scripts.js';
import { runJob } from './run-job.js';

/** Time to close the connections to Redis in order, after the last job has ended. */
const CLOSE_TIMEOUT_MS = 3_000;
/** Least time between two log lines about problems with Redis. */
const LOG_INTERVAL_MS = 10_000;

/** A job queue in Redis. It takes a Bull queue that has `queueOptions`, and closes it in `stop`. */
export class BullJobQueue extends JobQueue {
  private readonly aborting = new AbortController();
  private readonly underWay = new Set<Promise<void>>();
  private loggedAt = 0;
  private isWorking = false;

  constructor(
    private readonly queue: Queue,
    private readonly log: JobLog = () => undefined,
  ) {
    super();
    // Nothing catches the error of this call when Redis is unavailable, and the name has no use here.
    queue.setWorkerName = async () => undefined;
    queue.on('error', (error) => this.logProblemOnce(error));
  }

  override async enqueue(jobs: readonly NewJob[]): Promise<void> {
    await enqueueJobs(this.queue, jobs);
  }

  override async startWork(handlers: readonly JobHandler[], concurrency: number): Promise<void> {
    if (this.isWorking) throw new Error('This queue has workers already');
    this.isWorking = true;
    const { queue, log } = this;
    const context = {
      queue,
      log,
      handlers: new Map(handlers.map((handler) => [handler.name, handler])),
      signal: this.aborting.signal,
    };
    // The promise resolves when the queue is closed. While Redis is unavailable, Bull waits.
    queue
      .process('*', concurrency, (job: Job) => this.trackAttempt(runJob(job, context)))
      .catch((error: unknown) => {
        if (!this.aborting.signal.aborted) log('error', `The job queue cannot start its workers: ${String(error)}`);
      });
  }

  override countJobs(): Promise<QueueCounts> {
    return countJobs(this.queue);
  }

  override findRunning(): Promise<readonly JobAtWork[]> {
    return runningJobs(this.queue);
  }

  override findFailed(first: number): Promise<readonly FailedJob[]> {
    return failedJobs(this.queue, first);
  }

  override async leaveMark(): Promise<boolean> {
    return (await answerOf(this.queue.client.set(this.queue.toKey('mark'), '1', 'NX'))) === null;
  }

  /** Bull must stop taking jobs first, or it would take the jobs again that are returned to the queue. */
  override async stop(): Promise<void> {
    const closed = this.queue.close();
    this.aborting.abort();
    while (this.underWay.size > 0) await Promise.allSettled(this.underWay);
    const isLate = new AbortController();
    await Promise.race([closed, delay(CLOSE_TIMEOUT_MS, undefined, { signal: isLate.signal }).catch(() => undefined)]);
    isLate.abort();
    for (const client of this.queue.clients) client.disconnect();
  }

  private trackAttempt(run: Promise<void>): Promise<void> {
    this.underWay.add(run);
    const removeAttempt = (): boolean => this.underWay.delete(run);
    run.then(removeAttempt, removeAttempt);
    return run;
  }

  private logProblemOnce(error: Error): void {
    if (this.aborting.signal.aborted || Date.now() < this.loggedAt + LOG_INTERVAL_MS) return;
    this.loggedAt = Date.now();
    this.log('warn', `Redis: ${error.message}`);
  }
}
