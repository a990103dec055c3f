import type { Json } from '../kernel/events.js';

/** What led to a job: the call, and the event that it reacts to (null when there is none). */
export interface JobCause {
  readonly correlationId: string;
  readonly causationId: string | null;
}

/** Of a job that does not say. */
export const DEFAULT_PRIORITY = 100;

export interface NewJob {
  readonly name: string;
  /** Two waiting jobs of one key are one job: the later replaces the earlier. */
  readonly key: string;
  readonly data: Json;
  /** Not before this time; now when left out. */
  readonly runAt?: Date;
  /** Of the jobs that are due, those with the lower number go first: 1 to 1000, DEFAULT_PRIORITY when left out. */
  readonly priority?: number;
  readonly cause?: JobCause;
}

export interface RunningJob {
  readonly name: string;
  readonly key: string;
  readonly data: Json;
  readonly cause?: JobCause;
  /** 1 at the first try. */
  readonly attempt: number;
  /** Aborted when the process shuts down. */
  readonly signal: AbortSignal;
  /** Shows how much is done, 0 to 1, to who asks for the running jobs. Never fails: while the queue is away it is not shown. */
  showProgress(fraction: number): Promise<void>;
}

/** At most `jobs` tries of a handler begin within any `perMs` milliseconds. */
export interface RateLimit {
  readonly jobs: number;
  readonly perMs: number;
}

export interface JobHandler {
  readonly name: string;
  /** How often it is tried before the job is left as failed. A try that a shutdown ended does not count. */
  readonly maxAttempts: number;
  /**
   * None when left out. Bull keeps it over all processes of a server, Graphile Worker in each process by itself. A job
   * that has to wait is put off and does not count as tried.
   */
  readonly rateLimit?: RateLimit;
  handle(job: RunningJob): Promise<void>;
}

/** What the queue holds; `due` are those of the waiting jobs that could run now, `stuck` are jobs that gave up. */
export interface QueueCounts {
  readonly waiting: number;
  readonly due: number;
  readonly running: number;
  readonly stuck: number;
}

/** A job that some process works on. */
export interface JobAtWork {
  readonly name: string;
  readonly key: string;
  readonly attempt: number;
  /** What its handler said last in this try, 0 to 1; 0 before it said anything. */
  readonly progress: number;
}

/** A job that gave up. */
export interface FailedJob {
  readonly name: string;
  readonly key: string;
  /** The message of the last error. */
  readonly reason: string;
  readonly attempts: number;
  readonly failedAt: Date;
}

/** Failed jobs are kept for 30 days, and the latest 1,000 of them. */
export const KEPT_FAILED = { days: 30, jobs: 1_000 };

/** The queue can't be reached now. What was asked of it may or may not have happened; ask again. */
export class JobQueueUnavailable extends Error {
  constructor(cause: unknown) {
    super('The job queue cannot be reached', { cause });
    this.name = 'JobQueueUnavailable';
  }
}

/**
 * Work to be done, at least once. The queue holds nothing that can't be found again from the log: it may be emptied
 * at any time.
 *
 * While the engine is away, calls end within 5 s with a JobQueueUnavailable (Bull) or with PostgreSQL's own error
 * (Graphile Worker); the work goes on by itself once it is back.
 */
export abstract class JobQueue {
  /** Returns when the jobs are stored. One of a key that runs now is done after that, or beside it. */
  abstract enqueue(jobs: readonly NewJob[]): Promise<void>;

  /** Starts to work; a handler that throws is tried again after a backoff (0.25 s doubling to 30 s). */
  abstract startWork(handlers: readonly JobHandler[], concurrency: number): Promise<void>;

  abstract countJobs(): Promise<QueueCounts>;

  /** What is worked on now, by any process. */
  abstract findRunning(): Promise<readonly JobAtWork[]>;

  /** The latest `first` jobs that gave up, the last one first. One whose key is enqueued anew is no longer among them. */
  abstract findFailed(first: number): Promise<readonly FailedJob[]>;

  /**
   * Leaves a mark that lasts as long as what is queued. False when there was none: what was queued before is gone, or
   * nothing ever was. Of several processes that ask at once, one is told so.
   */
  abstract leaveMark(): Promise<boolean>;

  /** Takes no new jobs, aborts the signals of the running ones, waits for them. */
  abstract stop(): Promise<void>;
}
