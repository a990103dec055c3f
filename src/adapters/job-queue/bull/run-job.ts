import type { Job, Queue } from 'bull';
import { z } from 'zod';
import { backoffMs } from '../../../kernel/retry.js';
import type { JobHandler, RunningJob } from '../../../ports/job-queue.port.js';
import { messageOf } from '../../../kernel/errors.js';
import { RetryLater, GaveUp } from './queue-options.js';
import { type Claim, claimAttempt, settleAttempt } from './attempt-scripts.js';

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 30_000;
/** For a job that only another version of the program knows. */
const UNKNOWN_JOB_DELAY_MS = 5_000;

const Payload = z.object({
  data: z.json(),
  cause: z.object({ correlationId: z.string(), causationId: z.string().nullable() }).optional(),
});

export type JobLog = (level: 'warn' | 'error', message: string) => void;
type Claimed = Extract<Claim, { kind: 'run' }>;

export interface JobContext {
  readonly queue: Queue;
  readonly handlers: ReadonlyMap<string, JobHandler>;
  /** Aborted when the process shuts down. */
  readonly signal: AbortSignal;
  readonly log: JobLog;
}

/** Runs one try of a job for Bull. @throws Again, GaveUp: what Bull is to do with it */
export async function runJob(job: Job, context: JobContext): Promise<void> {
  const handler = context.handlers.get(job.name);
  if (context.signal.aborted) throw new RetryLater(0);
  if (!handler) throw new RetryLater(UNKNOWN_JOB_DELAY_MS);
  const claimed = await claimAttempt(context.queue, String(job.id), handler.rateLimit);
  if (claimed.kind === 'later') throw new RetryLater(claimed.waitMs);
  if (claimed.kind === 'run') await runClaimed(handler, job, claimed, context);
}

async function runClaimed(handler: JobHandler, job: Job, claimed: Claimed, context: JobContext): Promise<void> {
  try {
    // A job that takes the process down with it gets here without ever having thrown.
    if (claimed.attempt > handler.maxAttempts) throw new Error('The process ended during each try');
    await handler.handle(prepareJob(handler, job, claimed, context));
  } catch (error) {
    return settleFailure(handler, String(job.id), claimed, error, context);
  }
  await settleAttempt(context.queue, String(job.id), 'done');
}

function prepareJob(
  { name }: JobHandler,
  job: Job,
  { attempt, key, payload }: Claimed,
  { signal }: JobContext,
): RunningJob {
  const { data, cause } = Payload.parse(JSON.parse(payload));
  const progress = async (fraction: number): Promise<void> => {
    await job.progress(fraction).catch(() => undefined);
  };
  return { name, key, data, ...(cause && { cause }), attempt, signal, progress };
}

async function settleFailure(
  handler: JobHandler,
  id: string,
  { attempt, key }: Claimed,
  error: unknown,
  context: JobContext,
): Promise<void> {
  const { queue, signal, log } = context;
  const name = `${handler.name} ${key}`;
  if (signal.aborted) return throwIfLatest(new RetryLater(0), await settleAttempt(queue, id, 'back'));
  if (attempt >= handler.maxAttempts) {
    log('error', `${name} gave up after ${handler.maxAttempts} tries: ${messageOf(error)}`);
    return throwIfLatest(new GaveUp(messageOf(error)), await settleAttempt(queue, id, handler.maxAttempts));
  }
  const delay = backoffMs(attempt, FIRST_DELAY_MS, MAX_DELAY_MS, Math.random());
  log('warn', `${name} failed at try ${attempt}, again in ${delay} ms: ${messageOf(error)}`);
  return throwIfLatest(new RetryLater(delay, messageOf(error)), await settleAttempt(queue, id, 'again'));
}

/** A job that was replaced is done in any case. */
function throwIfLatest(outcome: RetryLater | GaveUp, isLatest: boolean): void {
  if (isLatest) throw outcome;
}
