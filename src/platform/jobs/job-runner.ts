import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { type JobHandler, JobQueue, type NewJob, type RunningJob } from '../../ports/job-queue.port.js';
import { runningContext, systemActor, withContext } from '../runtime/call-context.js';
import { AsBackgroundTask, type BackgroundTask } from '../runtime/background-tasks.js';
import { newId } from '../runtime/ids.js';

/** Marks a provider that implements `JobHandler` (src/ports/job-queue.port.ts). */
export const AsJobHandler = DiscoveryService.createDecorator();

/**
 * The number of jobs that one process runs at the same time. Fetch jobs mostly wait for the network, so it may be
 * larger than the number of processor cores.
 */
const MAX_CONCURRENT_JOBS = 6;

/**
 * Passes the jobs of the queue to the handlers of the modules. It has no end of its own: the server stops the queue
 * before it stops the background tasks.
 */
@AsBackgroundTask({ name: 'jobs', phase: 'work', roles: ['all', 'worker'] })
@Injectable()
export class JobRunner implements BackgroundTask {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly queue: JobQueue,
  ) {}

  async start(): Promise<void> {
    const found = this.discovery.getProviders({ metadataKey: AsJobHandler.KEY });
    // Only classes that implement JobHandler are marked with @AsJobHandler.
    const handlers = found.map((wrapper) => handleInContext(wrapper.instance as JobHandler));
    await this.queue.startWork(handlers, MAX_CONCURRENT_JOBS);
  }
}

/** Wraps a handler so that its jobs run in a call context with the cause of the job. */
function handleInContext(handler: JobHandler): JobHandler {
  const context = { actor: systemActor(handler.name), address: null };
  return {
    name: handler.name,
    maxAttempts: handler.maxAttempts,
    ...(handler.rateLimit && { rateLimit: handler.rateLimit }),
    handle: (job: RunningJob) => {
      const cause = job.cause ?? { correlationId: newId(), causationId: null };
      return withContext({ ...context, ...cause }, () => handler.handle(job));
    },
  };
}

/** Adds the cause of the running call to a job, so that the events that the job records have the same cause. */
export function withCause(job: NewJob): NewJob {
  const context = runningContext();
  if (!context) return job;
  const { correlationId, causationId } = context;
  return { ...job, cause: { correlationId, causationId } };
}
