import type { Job } from 'graphile-worker';
import type { Pool } from 'pg';
import { messageOf } from '../../../kernel/errors.js';
import type { JobHandler, RateLimit } from '../../../ports/job-queue.port.js';
import { attemptJob, type FailedOutcome, type JobLog } from '../../shared/job-attempt.js';
import type { DueJobAlarm } from './alarm.js';
import { abandonJob, attemptOf, postponeJob, saveProgress } from './job-table.js';

/** Limits the rate at which attempts of one handler begin in this process. */
export class RateGate {
  /** Start times of the latest attempts, at most as many as the limit allows within its period. */
  private readonly starts: number[] = [];

  constructor(private readonly limit: RateLimit) {}

  /** Returns 0 when an attempt may begin, which then counts, and otherwise the milliseconds to wait. */
  takeSlot(now: number): number {
    const { jobs, perMs } = this.limit;
    const oldest = this.starts.length < jobs ? null : (this.starts[0] ?? null);
    if (oldest !== null && oldest + perMs > now) return Math.ceil(oldest + perMs - now);
    this.starts.push(now);
    if (this.starts.length > jobs) this.starts.shift();
    return 0;
  }
}

export interface JobContext {
  readonly pool: Pool;
  readonly alarm: DueJobAlarm;
  /** Aborted when the process shuts down. */
  readonly signal: AbortSignal;
  readonly log: JobLog;
  /** The rate gates by the name of their handler. Handlers without a rate limit have none. */
  readonly gates: ReadonlyMap<string, RateGate>;
}

/**
 * Runs one attempt of a job for Graphile Worker. When it fails, the next step is written before Graphile Worker releases
 * the job, so that after a crash at any point the job is either held by a dead worker or waiting for its next
 * attempt.
 * @throws the error of the attempt, unless a newer job of the same key will do the work
 */
export async function runJob(handler: JobHandler, row: Job, context: JobContext): Promise<void> {
  const { pool, signal, log } = context;
  const attempt = attemptOf(row.attempts);
  const waitMs = context.gates.get(handler.name)?.takeSlot(performance.now()) ?? 0;
  if (waitMs > 0) return rescheduleJob(row, attempt, waitMs, context);
  const progress = (fraction: number): Promise<void> => saveProgress(pool, row.id, fraction).catch(() => undefined);
  // The last progress of an attempt whose process died is still there.
  if (row.flags) await progress(0);
  const job = { key: row.key ?? '', payload: row.payload, attempt, signal, progress };
  const outcome = await attemptJob(handler, job, log);
  if (outcome.kind === 'done') return;
  if (await recordOutcome(row, attempt, outcome, context)) throw outcome.error;
}

/** The rate limit lets the job run later. This does not count as an attempt. */
async function rescheduleJob(row: Job, attempt: number, waitMs: number, { pool, alarm }: JobContext): Promise<void> {
  const isLatest = await postponeJob(pool, row, attempt - 1, waitMs);
  alarm.ringIn(waitMs);
  if (isLatest) throw new Error('The rate limit postpones this job');
}

/** Resolves with false when a newer job of the same key will do the work, so that this one is done. */
function recordOutcome(row: Job, attempt: number, outcome: FailedOutcome, context: JobContext): Promise<boolean> {
  const { pool, alarm } = context;
  if (outcome.kind === 'interrupted') return postponeJob(pool, row, attempt - 1, 0);
  if (outcome.kind === 'abandoned') return abandonJob(pool, row, outcome.attempts, messageOf(outcome.error));
  alarm.ringIn(outcome.delayMs);
  return postponeJob(pool, row, attempt, outcome.delayMs);
}
