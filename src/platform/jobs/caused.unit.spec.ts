import type { DiscoveryService } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import type { JobHandler, JobQueue, RunningJob } from '../../ports/job-queue.port.js';
import { currentContext, withContext, type CallContext } from '../runtime/call-context.js';
import { JobRunner, withCause } from './job-runner.js';

const job = { name: 'fetch', key: 'fetch:1', data: {} };
const cause = { correlationId: 'call-1', causationId: 'event-1' };

/** The context that a job's handler works in. */
async function contextOf(running: Partial<RunningJob>): Promise<CallContext | undefined> {
  let seen: CallContext | undefined;
  const handler: JobHandler = { name: 'fetch', maxAttempts: 1, handle: async () => void (seen = currentContext()) };
  const given: JobHandler[] = [];
  // Each fake has what the runner calls.
  const discovery = { getProviders: () => [{ instance: handler }] } as unknown as DiscoveryService;
  const queue = { startWork: async (handlers: JobHandler[]) => void given.push(...handlers) } as unknown as JobQueue;
  await new JobRunner(discovery, queue).start();
  await given[0]?.handle({
    ...job,
    attempt: 1,
    signal: new AbortController().signal,
    showProgress: async () => undefined,
    ...running,
  });
  return seen;
}

describe('what a job comes of', () => {
  it('is noted where it is enqueued', () => {
    expect(withContext(cause, () => withCause(job))).toEqual({ ...job, cause });
    expect(withCause(job)).toEqual(job);
  });

  it('is named in what the job records', async () => {
    expect(await contextOf({ cause })).toMatchObject({ actor: { kind: 'system', name: 'fetch' }, ...cause });
  });

  it('is a correlation of its own when nobody asked for it', async () => {
    expect(await contextOf({})).toMatchObject({
      correlationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      causationId: null,
    });
  });
});
