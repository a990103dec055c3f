import type { NewJob } from '../../ports/job-queue.port.js';
import { runningContext } from '../context/call-context.js';

/** The job, with a note of what it comes of: what it records will name the same. */
export function withCause(job: NewJob): NewJob {
  const context = runningContext();
  if (!context) return job;
  const { correlationId, causationId } = context;
  return { ...job, cause: { correlationId, causationId } };
}
