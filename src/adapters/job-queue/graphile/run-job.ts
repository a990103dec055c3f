import type { Job } from 'graphile-worker';
import type { Pool } from 'pg';
import { z } from 'zod';
import { messageOf } from '../../../kernel/errors.js';
import { backoffMs } from '../../../kernel/retry.js';
import type { JobHandler, RateLimit, RunningJob } from '../../../ports/job-queue.port.js';
import type { Alarm } from './alarm.js';
import { abandonJob, attemptOf, postponeJob, saveProgress } from './job-table.js';

/** Lets the tries of one handler begin at its rate, within this process. */
export class RateGate {
  /** When the latest tries began, at most as many as the limit allows at once. */
  private readonly starts: number[] = [];

  constructor(private readonly limit: RateLimit) {}

  /** Milliseconds to wait. 0: the try may begin, and counts. */
  takeSlot(now: number): number {
    const { jobs, perMs } = this.limit;
    const oldest = this.starts.length < jobs ? null : (this.starts[0] ?? null);
    if (oldest !== null && oldest + perMs > now) return Math.ceil(oldest + perMs - now);
    this.starts.push(now);
    if (this.starts.length > jobs) this.starts.shift();
    return 0;
  }
}

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 30_000;

const Cause = z.object({ correlationId: z.string(), causationId: z.string().nullable() });
const Payload = z.object({ data: z.json(), cause: Cause.optional() });

export type JobLog = (level: 'warn' | 'error', message: string) => void;

export interface JobContext {
  readonly pool: Pool;
  readonly alarm: Alarm;
  /** Aborted when the process shuts down. */
  readonly signal: AbortSignal;
  readonly log: JobLog;
  /** By the name of the handler, of those with a rate limit. */
  readonly gates: ReadonlyMap<string, RateGate>;
}

/**
 * Runs one try of a job. When it fails, what comes next is written before Graphile Worker lets go of the job, so a
 * crash at any point leaves it either held by a dead worker or waiting for its next try.
 */
export async function runJob(handler: JobHandler, row: Job, context: JobContext): Promise<void> {
  const attempt = attemptOf(row.attempts);
  const wait = context.gates.get(handler.name)?.takeSlot(performance.now()) ?? 0;
  if (wait > 0) return reschedule(row, attempt, wait, context);
  try {
    const job = await prepareJob(handler, row, attempt, context);
    // A job that takes the process down with it gets here without ever having thrown.
    if (attempt > handler.maxAttempts) throw new Error('The process ended during each try');
    await handler.handle(job);
  } catch (error) {
    if (await settleFailure(handler, row, attempt, error, context)) throw error;
  }
}

async function prepareJob(
  handler: JobHandler,
  row: Job,
  attempt: number,
  { pool, signal }: JobContext,
): Promise<RunningJob> {
  const { data, cause } = Payload.parse(row.payload);
  const progress = (fraction: number): Promise<void> => saveProgress(pool, row.id, fraction).catch(() => undefined);
  // What a try said whose process died.
  if (row.flags) await progress(0);
  return { name: handler.name, key: row.key ?? '', data, ...(cause && { cause }), attempt, signal, progress };
}

/** Not counted as a try. */
async function reschedule(row: Job, attempt: number, waitMs: number, { pool, alarm }: JobContext): Promise<void> {
  const isWanted = await postponeJob(pool, row, attempt - 1, waitMs);
  alarm.ringIn(waitMs);
  if (isWanted) throw new Error('Put off by the rate limit');
}

/** False when a newer job of the same key will do the work, so that this one is done. */
async function settleFailure(
  handler: JobHandler,
  row: Job,
  attempt: number,
  error: unknown,
  context: JobContext,
): Promise<boolean> {
  const name = `${handler.name} ${row.key ?? ''}`;
  if (context.signal.aborted) return postponeJob(context.pool, row, attempt - 1, 0);
  if (attempt >= handler.maxAttempts) {
    context.log('error', `${name} gave up after ${attempt} tries: ${messageOf(error)}`);
    return abandonJob(context.pool, row, Math.min(attempt, handler.maxAttempts), messageOf(error));
  }
  const delay = backoffMs(attempt, FIRST_DELAY_MS, MAX_DELAY_MS, Math.random());
  context.log('warn', `${name} failed at try ${attempt}, again in ${delay} ms: ${messageOf(error)}`);
  context.alarm.ringIn(delay);
  return postponeJob(context.pool, row, attempt, delay);
}
