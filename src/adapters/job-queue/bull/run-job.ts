import type { Job, Queue } from 'bull';
import { messageOf } from '../../../kernel/errors.js';
import type { JobHandler } from '../../../ports/job-queue.port.js';
import { attemptJob, type AttemptOutcome, type JobLog } from '../../shared/job-attempt.js';
import { claimAttempt, settleAttempt } from './attempt-scripts.js';
import { GaveUp, RetryLater } from './queue-options.js';

/** For a job that only another version of the program knows. */
const UNKNOWN_JOB_DELAY_MS = 5_000;

interface JobContext {
  readonly queue: Queue;
  readonly handlers: ReadonlyMap<string, JobHandler>;
  /** Aborted when the process shuts down. */
  readonly signal: AbortSignal;
  readonly log: JobLog;
}

/** Runs one attempt of a job for Bull. @throws RetryLater or GaveUp, which tell Bull what to do with the job */
export async function runJob(job: Job, context: JobContext): Promise<void> {
  const handler = context.handlers.get(job.name);
  if (context.signal.aborted) throw new RetryLater(0);
  if (!handler) throw new RetryLater(UNKNOWN_JOB_DELAY_MS);
  const claimed = await claimAttempt(context.queue, String(job.id), handler.rateLimit);
  if (claimed.kind === 'later') throw new RetryLater(claimed.waitMs);
  if (claimed.kind === 'over') return;
  const outcome = await attemptJob(handler, { ...claimed, ...runtimeOf(job, context) }, context.log);
  await recordOutcome(context.queue, String(job.id), outcome);
}

function runtimeOf(job: Job, { signal }: JobContext) {
  const progress = async (fraction: number): Promise<void> => {
    await job.progress(fraction).catch(() => undefined);
  };
  return { signal, progress };
}

/** A job that a newer one of its key has replaced is done, whatever the outcome of the attempt. */
async function recordOutcome(queue: Queue, id: string, outcome: AttemptOutcome): Promise<void> {
  if (outcome.kind === 'done') await settleAttempt(queue, id, 'done');
  else if (outcome.kind === 'interrupted') throwIfLatest(new RetryLater(0), await settleAttempt(queue, id, 'back'));
  else if (outcome.kind === 'failed') {
    const retry = new RetryLater(outcome.delayMs, messageOf(outcome.error));
    throwIfLatest(retry, await settleAttempt(queue, id, 'again'));
  } else {
    const failure = new GaveUp(messageOf(outcome.error));
    throwIfLatest(failure, await settleAttempt(queue, id, outcome.attempts));
  }
}

function throwIfLatest(outcome: RetryLater | GaveUp, isLatest: boolean): void {
  if (isLatest) throw outcome;
}
