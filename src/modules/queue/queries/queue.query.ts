import { Query } from '@nestjs/cqrs';
import type { JobView, QueueView } from '../contracts/queue-view.js';

/** How the job queue is. */
export class QueueQuery extends Query<QueueView> {}

/** The jobs that some process works on, or the latest `first` that gave up. @throws Refusal UNAVAILABLE */
export class JobsQuery extends Query<readonly JobView[]> {
  constructor(
    readonly which: 'running' | 'failed',
    readonly first: number,
  ) {
    super();
  }
}
