import { QueryBus } from '@nestjs/cqrs';
import { Args, Field, Float, Int, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Refusal } from '../../kernel/errors.js';
import { Needs } from '../../platform/access/needs.decorator.js';
import { connectionCost } from '../../platform/graphql/cost-limit.js';
import { JobsQuery, QueueQuery, type QueueState, QUEUE_STATES } from './queue.query.js';
import { enumOf } from '../../platform/graphql/enum-of.js';

const QueueStateName = enumOf('QueueState', QUEUE_STATES, {
  type: 'How the job queue is.',
  values: {
    IDLE: 'Nothing is due.',
    WORKING: 'Jobs run, or are about to.',
    STUCK: 'Jobs are due and no process takes them; `advice` says what to do.',
    UNAVAILABLE: 'It does not answer; `advice` says what to do.',
  },
});

@ObjectType({ description: 'A job that some process works on, or one that gave up.' })
class Job {
  @Field(() => String, { description: 'Its kind.' })
  name!: string;

  @Field(() => String, { description: 'What it is about: kind, package id, place.' })
  key!: string;

  @Field(() => Int, { description: 'How often it was begun.' })
  attempt!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'How much of it is done, from 0 to 1; null for one that gave up.',
  })
  progress!: number | null;

  @Field(() => String, { nullable: true, description: 'Why it gave up.' })
  reason!: string | null;

  @Field(() => Date, { nullable: true })
  failedAt!: Date | null;
}

@ObjectType({ description: 'The work that this server has still to do, and whether it gets on with it.' })
class Queue {
  @Field(() => QueueStateName)
  state!: QueueState;

  @Field(() => String, { nullable: true, description: 'What to do about it; null when there is nothing to do.' })
  advice!: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Jobs that nobody works on yet. Null while the queue does not answer.',
  })
  waiting!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Those of them that could run now; the others wait for their time.',
  })
  due!: number | null;

  @Field(() => Int, { nullable: true })
  running!: number | null;

  @Field(() => Int, { nullable: true, description: 'Jobs that gave up.' })
  failed!: number | null;
}

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
