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

/** After the last job ended, what Redis may take to be left in order. */
const CLOSE_TIMEOUT_MS = 3_000;
/** While Redis is away, it is said this often. */
const LOG_INTERVAL_MS = 10_000;

/** Jobs in Redis, by Bull. Made with `queueOptions`; the Bull queue is closed by `stop`. */
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
    // Its call is nobody's to catch and fails when Redis goes away; the name is of no use to us.
    queue.setWorkerName = async () => undefined;
    queue.on('error', (error) => this.logProblemOnce(error));
  }

  override async enqueue(jobs: readonly NewJob[]): Promise<void> {
    await enqueueJobs(this.queue, jobs);
  }

  override async startWork(handlers: readonly JobHandler[], concurrency: number): Promise<void> {
    if (this.isWorking) throw new Error('The queue is worked on already');
    this.isWorking = true;
    const { queue, log } = this;
    const context = {
      queue,
      log,
      handlers: new Map(handlers.map((handler) => [handler.name, handler])),
      signal: this.aborting.signal,
    };
    // It resolves when the queue is closed, and waits for a Redis that is away.
    queue
      .process('*', concurrency, (job: Job) => this.trackAttempt(runJob(job, context)))
      .catch((error: unknown) => {
        if (!this.aborting.signal.aborted) log('error', `No jobs are worked on: ${String(error)}`);
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

  /** Bull closes its loops first, or it would take again what is put back. */
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
    const ended = (): boolean => this.underWay.delete(run);
    run.then(ended, ended);
    return run;
  }

  private logProblemOnce(error: Error): void {
    if (this.aborting.signal.aborted || Date.now() < this.loggedAt + LOG_INTERVAL_MS) return;
    this.loggedAt = Date.now();
    this.log('warn', `Redis: ${error.message}`);
  }
}
