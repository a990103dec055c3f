import { QueryBus } from '@nestjs/cqrs';
import { Args, Int, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Refusal } from '../../../kernel/refusal.js';
import { Needs } from '../../../platform/auth/needs.decorator.js';
import { connectionCost } from '../../../platform/graphql/limits/cost-limit.js';
import { JobsQuery, QueueQuery } from '../queries/queue.query.js';
import { Job, Queue } from './queue.types.js';

const MAX_FIRST = 200;

function requireValidFirst(first: number): number {
  if (first >= 1 && first <= MAX_FIRST) return first;
  throw new Refusal('INVALID_REQUEST', `\`first\` must be from 1 to ${MAX_FIRST}.`);
}

@Resolver(() => Queue)
export class QueueResolver {
  constructor(private readonly queries: QueryBus) {}

  @Needs('read')
  @Query(() => Queue, { description: 'The job queue of this server.' })
  queue(): Promise<Queue> {
    return this.queries.execute(new QueueQuery());
  }

  @Needs('read')
  @ResolveField(() => [Job], {
    description: 'What is worked on now, by any process of this server. Refusals: UNAVAILABLE, INVALID_REQUEST.',
    complexity: connectionCost,
  })
  runningJobs(@Args('first', { type: () => Int, defaultValue: 20 }) first: number): Promise<readonly Job[]> {
    return this.queries.execute(new JobsQuery('running', requireValidFirst(first)));
  }

  @Needs('read')
  @ResolveField(() => [Job], {
    description:
      'Jobs that gave up within the last 30 days, the last one first. Refusals: UNAVAILABLE, INVALID_REQUEST.',
    complexity: connectionCost,
  })
  failedJobs(@Args('first', { type: () => Int, defaultValue: 20 }) first: number): Promise<readonly Job[]> {
    return this.queries.execute(new JobsQuery('failed', requireValidFirst(first)));
  }
}
