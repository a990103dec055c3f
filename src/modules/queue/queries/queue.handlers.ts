import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/refusal.js';
import { QueueHealth } from '../../../platform/jobs/queue-health.js';
import { JobQueue } from '../../../ports/job-queue.port.js';
import type { JobView, QueueView } from '../contracts/queue-view.js';
import { JobsQuery, QueueQuery } from './queue.query.js';

@QueryHandler(QueueQuery)
export class QueueHandler implements IQueryHandler<QueueQuery> {
  constructor(private readonly health: QueueHealth) {}

  async execute(): Promise<QueueView> {
    const { state, advice, counts } = await this.health.look();
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
    const jobs = await this.queue.running();
    return jobs.slice(0, first).map((job) => ({ ...job, reason: null, failedAt: null }));
  }

  private async findFailed(first: number): Promise<readonly JobView[]> {
    const jobs = await this.queue.failed(first);
    return jobs.map(({ attempts, ...job }) => ({ ...job, attempt: attempts, progress: null }));
  }
}
