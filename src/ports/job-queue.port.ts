import type { Json } from '../kernel/events.js';

/** The cause of a job: the call, and the event to which the job reacts (null when there is none). */
interface JobCause {
  readonly correlationId: string;
  readonly causationId: string | null;
}

/** Priority of a job that gives none. */
export const DEFAULT_PRIORITY = 100;

export interface NewJob {
  readonly name: string;
  /** Only one job of a key waits: a later one replaces an earlier one. */
  readonly key: string;
  readonly data: Json;
  /** The job does not start before this time. By default it can start now. */
  readonly runAt?: Date;
  /** From 1 to 1000, DEFAULT_PRIORITY by default. Of the jobs that are due, those with a lower number start first. */
  readonly priority?: number;
  readonly cause?: JobCause;
}

export interface RunningJob {
  readonly name: string;
  readonly key: string;
  readonly data: Json;
  readonly cause?: JobCause;
  /** Number of this attempt, from 1 on. */
  readonly attempt: number;
  /** Aborted when the process shuts down. */
  readonly signal: AbortSignal;
  /** Shows how much is done, from 0 to 1, in the list of running jobs. Never fails: while the queue is unavailable, it has no effect. */
  showProgress(fraction: number): Promise<void>;
}

/** At most `jobs` attempts of a handler begin within any period of `perMs` milliseconds. */
export interface RateLimit {
  readonly jobs: number;
  readonly perMs: number;
}

export interface JobHandler {
  readonly name: string;
  /** Attempts before a job counts as failed. An attempt that a shutdown ends does not count. */
  readonly maxAttempts: number;
  /**
   * No limit by default. Bull applies it to all processes of a server together, Graphile Worker to each process. A job
   * that must wait runs later, and this does not count as an attempt.
   */
  readonly rateLimit?: RateLimit;
  handle(job: RunningJob): Promise<void>;
}

/** Numbers of jobs in the queue. `due` are the waiting jobs that could run now, `stuck` are the failed jobs. */
export interface QueueCounts {
  readonly waiting: number;
  readonly due: number;
  readonly running: number;
  readonly stuck: number;
}

/** A job that a process runs now. */
export interface JobAtWork {
  readonly name: string;
  readonly key: string;
  readonly attempt: number;
  /** The latest progress that its handler has shown in this attempt, from 0 to 1. */
  readonly progress: number;
}

/** A job that has failed and does not run again. */
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

/** The queue cannot be reached now. The call may or may not have had its effect; make it again. */
export class JobQueueUnavailable extends Error {
  constructor(cause: unknown) {
    super('The job queue cannot be reached', { cause });
    this.name = 'JobQueueUnavailable';
  }
}

/**
 * Jobs that run at least once. All of them can be found again from the event log, so the queue may be emptied at any
 * time.
 *
 * While the engine is unavailable, calls end within 5 s with a JobQueueUnavailable (Bull) or with an error of PostgreSQL
 * (Graphile Worker). When it is back, the jobs continue without further action.
 */
export abstract class JobQueue {
  /** Resolves when the jobs are stored. When a job of the same key runs now, the new one runs after it or beside it. */
  abstract enqueue(jobs: readonly NewJob[]): Promise<void>;

  /** Starts to run jobs. A job whose handler throws runs again after a delay that doubles from 0.25 s to 30 s. */
  abstract startWork(handlers: readonly JobHandler[], concurrency: number): Promise<void>;

  abstract countJobs(): Promise<QueueCounts>;

  /** Lists the jobs that any process runs now. */
  abstract findRunning(): Promise<readonly JobAtWork[]>;

  /** Lists the latest `first` failed jobs, the last one first. A job whose key is enqueued again leaves this list. */
  abstract findFailed(first: number): Promise<readonly FailedJob[]>;

  /**
   * Leaves a mark that lasts as long as the jobs do. Resolves with false when there was none: the earlier jobs are lost,
   * or there never were any. Of several processes that call this at once, only one gets false.
   */
  abstract leaveMark(): Promise<boolean>;

  /** Takes no new jobs, aborts the signals of the running ones, and waits for them. */
  abstract stop(): Promise<void>;
}
