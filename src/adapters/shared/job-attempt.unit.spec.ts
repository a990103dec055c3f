import { describe, expect, it } from 'vitest';
import type { JobHandler, RunningJob } from '../../ports/job-queue.port.js';
import { attemptJob, type JobAttempt } from './job-attempt.js';

const aborted = AbortSignal.abort();
const job = (attempt: number, other: Partial<JobAttempt> = {}): JobAttempt => ({
  key: 'package 1',
  payload: { data: { size: 5 } },
  attempt,
  signal: new AbortController().signal,
  progress: async () => undefined,
  ...other,
});

function handlerThat(handle: (job: RunningJob) => unknown, maxAttempts = 3): JobHandler {
  return { name: 'fetch', maxAttempts, handle: async (running) => void (await handle(running)) };
}
const failing = handlerThat(() => {
  throw new Error('disk full');
});

describe('one attempt of a job', () => {
  const logged: string[] = [];
  const log = (level: string, message: string): unknown => logged.push(`${level}: ${message}`);

  it('gives the handler what was stored with the job, as JSON text or parsed', async () => {
    const seen: unknown[] = [];
    const handler = handlerThat(({ name, key, data, cause, attempt }) =>
      seen.push({ name, key, data, cause, attempt }),
    );
    const cause = { correlationId: 'c1', causationId: null };
    expect(await attemptJob(handler, job(1), log)).toEqual({ kind: 'done' });
    await attemptJob(handler, job(2, { payload: JSON.stringify({ data: [1], cause }) }), log);
    expect(seen).toEqual([
      { name: 'fetch', key: 'package 1', data: { size: 5 }, cause: undefined, attempt: 1 },
      { name: 'fetch', key: 'package 1', data: [1], cause, attempt: 2 },
    ]);
  });

  it.each([
    [1, 125, 250],
    [2, 250, 500],
  ])('that fails for the %i. time leads to another one after a delay that grows', async (attempt, least, most) => {
    const outcome = await attemptJob(failing, job(attempt), log);
    expect(outcome).toMatchObject({ kind: 'failed', error: new Error('disk full') });
    if (outcome.kind !== 'failed') return;
    expect(outcome.delayMs).toBeGreaterThanOrEqual(least);
    expect(outcome.delayMs).toBeLessThanOrEqual(most);
    expect(logged.at(-1)).toMatch(new RegExp(`^warn: .*attempt ${attempt} .*${outcome.delayMs} ms: disk full`));
  });

  it('never leads to a delay of more than 30 seconds', async () => {
    const outcome = await attemptJob({ ...failing, maxAttempts: 1_000 }, job(999), log);
    expect(outcome.kind === 'failed' && outcome.delayMs).toBeLessThanOrEqual(30_000);
  });

  it('that is the last one and fails ends the job', async () => {
    expect(await attemptJob(failing, job(3), log)).toMatchObject({ kind: 'abandoned', attempts: 3 });
    expect(logged.at(-1)).toMatch(/^error: .*fetch package 1.*3 times.*disk full/);
  });

  it('does not call the handler again when the process ended during each attempt', async () => {
    const handler = handlerThat(() => expect.unreachable());
    expect(await attemptJob(handler, job(4), log)).toMatchObject({
      kind: 'abandoned',
      attempts: 3,
      error: new Error('The process ended during every attempt'),
    });
  });

  it('does not count when the shutdown ended it', async () => {
    expect(await attemptJob(failing, job(3, { signal: aborted }), log)).toMatchObject({ kind: 'interrupted' });
  });

  it.each([['{'], [{ cause: null }], [null]])('fails when what was stored cannot be read: %j', async (payload) => {
    expect(
      await attemptJob(
        handlerThat(() => undefined),
        job(1, { payload }),
        log,
      ),
    ).toMatchObject({ kind: 'failed' });
  });
});
