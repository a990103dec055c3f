import { z } from 'zod';
import { messageOf } from '../../kernel/errors.js';
import { backoffMs } from '../../kernel/retry.js';
import { EventStoreUnavailable } from '../../ports/event-store.port.js';
import { type JobHandler, JobQueueUnavailable } from '../../ports/job-queue.port.js';

const MIN_DELAY_MS = 250;
const MAX_DELAY_MS = 30_000;

/** The data that both engines store with a job. */
const Payload = z.object({
  data: z.json(),
  cause: z.object({ correlationId: z.string(), causationId: z.string().nullable() }).optional(),
});

export type JobLog = (level: 'warn' | 'error', message: string) => void;

export interface JobAttempt {
  readonly key: string;
  /** The data that the engine stores with the job, as JSON text or parsed. They are not checked yet. */
  readonly payload: unknown;
  /** Number of this attempt, from 1 on. It also counts attempts that ended with the process. */
  readonly attempt: number;
  /** Aborted when the process shuts down. */
  readonly signal: AbortSignal;
  progress(fraction: number): Promise<void>;
}

export type AttemptOutcome =
  | { readonly kind: 'done' }
  /** The shutdown ended the attempt, which therefore does not count. */
  | { readonly kind: 'interrupted'; readonly error: unknown }
  /** The job runs again after the delay. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly delayMs: number }
  /** The job does not run again. */
  | { readonly kind: 'abandoned'; readonly error: unknown; readonly attempts: number };

export type FailedOutcome = Exclude<AttemptOutcome, { kind: 'done' }>;

/**
 * Runs one attempt of a job and decides the next step, which the engine only carries out. A failed job runs again after
 * a delay that doubles from 0.25 to 30 seconds, until the attempts of its handler are used up. Reports failures to
 * `log`. Never throws what the handler throws.
 */
export async function attemptJob(handler: JobHandler, job: JobAttempt, log: JobLog): Promise<AttemptOutcome> {
  try {
    await handleJob(handler, job);
    return { kind: 'done' };
  } catch (error) {
    if (job.signal.aborted) return { kind: 'interrupted', error };
    return decideNext(handler, job, error, log);
  }
}

async function handleJob(handler: JobHandler, { key, payload, attempt, signal, progress }: JobAttempt): Promise<void> {
  const { data, cause } = Payload.parse(typeof payload === 'string' ? JSON.parse(payload) : payload);
  // Every attempt ended with the process, so the handler could not report an error.
  if (attempt > handler.maxAttempts) throw new Error('The process ended during every attempt');
  await handler.handle({
    name: handler.name,
    key,
    data,
    ...(cause && { cause }),
    attempt,
    signal,
    showProgress: progress,
  });
}

/** An engine that is not available fails all jobs in the same way. It is told of again after this time. */
const SAME_REASON_MS = 5 * 60_000;
const toldAt = new WeakMap<JobLog, Map<string, number>>();

function isToldBefore(log: JobLog, error: unknown, reason: string): boolean {
  if (!(error instanceof EventStoreUnavailable || error instanceof JobQueueUnavailable)) return false;
  const told = toldAt.get(log) ?? new Map<string, number>();
  toldAt.set(log, told);
  const isKnown = Date.now() - (told.get(reason) ?? -Infinity) < SAME_REASON_MS;
  if (!isKnown) told.set(reason, Date.now());
  return isKnown;
}

function decideNext(
  { name, maxAttempts }: JobHandler,
  { key, attempt }: JobAttempt,
  error: unknown,
  log: JobLog,
): AttemptOutcome {
  const reason = messageOf(error);
  if (attempt >= maxAttempts) {
    log('error', `Job ${name} ${key} has failed ${maxAttempts} times and is not tried again: ${reason}`);
    return { kind: 'abandoned', error, attempts: maxAttempts };
  }
  const delayMs = backoffMs(attempt, MIN_DELAY_MS, MAX_DELAY_MS, Math.random());
  if (!isToldBefore(log, error, reason))
    log('warn', `Job ${name} ${key} failed in attempt ${attempt} and runs again in ${delayMs} ms: ${reason}`);
  return { kind: 'failed', error, delayMs };
}
