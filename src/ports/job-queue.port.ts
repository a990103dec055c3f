import type { Json } from '../kernel/json.js';

/** What led to a job: the call, and the event that it reacts to (null when there is none). */
export interface JobCause {
  readonly correlationId: string;
  readonly causationId: string | null;
}

export interface NewJob {
  readonly name: string;
  /** Two waiting jobs of one key are one job: the later replaces the earlier. */
  readonly key: string;
  readonly data: Json;
  /** Not before this time; now when left out. */
  readonly runAt?: Date;
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
}

export interface JobHandler {
  readonly name: string;
  /** How often it is tried before the job is left as failed. */
  readonly maxAttempts: number;
  handle(job: RunningJob): Promise<void>;
}

/** What the queue holds; `stuck` are jobs that gave up. */
export interface QueueCounts {
  readonly waiting: number;
  readonly running: number;
  readonly stuck: number;
}

/**
 * Work to be done, at least once. The queue holds nothing that can't be found again from the log: it may be emptied
 * at any time.
 */
export abstract class JobQueue {
  /** Returns when the jobs are stored. */
  abstract enqueue(jobs: readonly NewJob[]): Promise<void>;

  /** Starts to work; a handler that throws is tried again after a backoff (0.25 s doubling to 30 s). */
  abstract work(handlers: readonly JobHandler[], concurrency: number): Promise<void>;

  abstract counts(): Promise<QueueCounts>;

  /** Takes no new jobs, aborts the signals of the running ones, waits for them. */
  abstract stop(): Promise<void>;
}
