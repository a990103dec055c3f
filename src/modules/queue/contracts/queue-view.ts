/** IDLE: nothing is due. WORKING: jobs run or are about to. STUCK: jobs are due and nobody takes them. UNAVAILABLE: it does not answer. */
export const QUEUE_STATES = ['IDLE', 'WORKING', 'STUCK', 'UNAVAILABLE'] as const;
export type QueueState = (typeof QUEUE_STATES)[number];

/** The job queue as it is shown. */
export interface QueueView {
  readonly state: QueueState;
  /** What to do about it, null when there is nothing to do. */
  readonly advice: string | null;
  /** Null while it does not answer. */
  readonly waiting: number | null;
  readonly due: number | null;
  readonly running: number | null;
  readonly failed: number | null;
}

/** A job that some process works on, or one that gave up. */
export interface JobView {
  readonly name: string;
  readonly key: string;
  readonly attempt: number;
  /** From 0 to 1; of one that gave up null. */
  readonly progress: number | null;
  /** Why it gave up, and when. */
  readonly reason: string | null;
  readonly failedAt: Date | null;
}
