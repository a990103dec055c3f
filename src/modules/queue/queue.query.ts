import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Refusal } from '../../kernel/errors.js';
import { QueueHealth } from '../../platform/jobs/queue-health.js';
import { JobQueue } from '../../ports/job-queue.port.js';

/**
 * IDLE: no job is due. WORKING: jobs run or are about to run. STUCK: jobs are due and no process takes them, or no process
 * runs that could take any. UNAVAILABLE: the queue does not answer.
 */
export const QUEUE_STATES = ['IDLE', 'WORKING', 'STUCK', 'UNAVAILABLE'] as const;
export type QueueState = (typeof QUEUE_STATES)[number];

/** The job queue as it is shown. */
interface QueueView {
  readonly state: QueueState;
  /** The advice to an administrator. Null when there is nothing to do. */
  readonly advice: string | null;
  /** The numbers of jobs are null while the queue does not answer. */
  readonly waiting: number | null;
  readonly due: number | null;
  readonly running: number | null;
  readonly failed: number | null;
}

/** A job that a process is working on, or a job that has failed for good. */
interface JobView {
  readonly name: string;
  readonly key: string;
  readonly attempt: number;
  /** From 0 to 1; null for a failed job. */
  readonly progress: number | null;
  /** The reason why the job has failed. Null for a running job. */
  readonly reason: string | null;
  readonly failedAt: Date | null;
}

/** The state of the job queue. */
export class QueueQuery extends Query<QueueView> {}

/** The first jobs that processes are working on, or the latest ones that have failed for good. @throws Refusal UNAVAILABLE */
export class JobsQuery extends Query<readonly JobView[]> {
  constructor(
    readonly which: 'running' | 'failed',
    readonly first: number,
  ) {
    super();
  }
}

@QueryHandler(QueueQuery)
export class QueueHandler implements IQueryHandler<QueueQuery> {
  constructor(private readonly health: QueueHealth) {}

  async execute(): Promise<QueueView> {
    const { state, advice, counts } = await this.health.checkQueue();
    const { waiting = null, due = null, running = null, stuck: failed = null } = counts ?? {};
    return { state, advice, waiting, due, running, failed };
  }
}

@QueryHandler(JobsQuery)
export class JobsHandler implements IQueryHandler<JobsQuery> {
  constructor(private readonly queue: JobQueue) {}

  async execute({ which, first }: JobsQuery): Promise<readonly JobView[]> {
    try {
      return await (which === 'running' ? this.findRunning(first) : this.findFailed(first));
    } catch {
      throw new Refusal('UNAVAILABLE', 'The job queue does not answer. Try again in a moment.');
    }
  }

  private async findRunning(first: number): Promise<readonly JobView[]> {
    const jobs = await this.queue.findRunning();
    return jobs.slice(0, first).map((job) => ({ ...job, reason: null, failedAt: null }));
  }

  private async findFailed(first: number): Promise<readonly JobView[]> {
    const jobs = await this.queue.findFailed(first);
    return jobs.map(({ attempts, ...job }) => ({ ...job, attempt: attempts, progress: null }));
  }
}
