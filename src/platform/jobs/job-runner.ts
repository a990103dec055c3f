import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { type JobHandler, JobQueue, type NewJob, type RunningJob } from '../../ports/job-queue.port.js';
import { runningContext, systemActor, withContext } from '../runtime/call-context.js';
import { AsBackgroundTask, type BackgroundTask } from '../runtime/background-tasks.js';
import { newId } from '../runtime/ids.js';

/** Marks a provider that implements JobHandler (src/ports/job-queue.port.ts). */
export const AsJobHandler = DiscoveryService.createDecorator();

/** Jobs worked on at once by one process. Chunk runs wait for the network, so more than there are cores. */
const MAX_CONCURRENT_JOBS = 6;

/** Gives the queue's jobs to the handlers of the modules. The server stops the queue itself, before the other tasks. */
@AsBackgroundTask({ name: 'jobs', phase: 'work', roles: ['all', 'worker'] })
@Injectable()
export class JobRunner implements BackgroundTask {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly queue: JobQueue,
  ) {}

  async start(): Promise<void> {
    const found = this.discovery.getProviders({ metadataKey: AsJobHandler.KEY });
    // @AsJobHandler marks just the classes that implement JobHandler.
    const handlers = found.map((wrapper) => handleInContext(wrapper.instance as JobHandler));
    await this.queue.startWork(handlers, MAX_CONCURRENT_JOBS);
  }
}

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

/** The job, with a note of what it comes of: what it records will name the same. */
export function withCause(job: NewJob): NewJob {
  const context = runningContext();
  if (!context) return job;
  const { correlationId, causationId } = context;
  return { ...job, cause: { correlationId, causationId } };
}
