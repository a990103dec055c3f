import { QueryBus } from '@nestjs/cqrs';
import { Args, Field, Float, Int, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Refusal } from '../../kernel/errors.js';
import { Needs } from '../../platform/access/needs.decorator.js';
import { connectionCost } from '../../platform/graphql/cost-limit.js';
import { JobsQuery, QueueQuery, type QueueState, QUEUE_STATES } from './queue.query.js';
import { enumOf } from '../../platform/graphql/enum-of.js';

const QueueStateName = enumOf('QueueState', QUEUE_STATES, {
  type: 'State of the job queue.',
  values: {
    IDLE: 'No job is due.',
    WORKING: 'Jobs run or are about to run.',
    STUCK: 'Jobs are due and no process takes them, or no process runs that could take any. `advice` says what to do.',
    UNAVAILABLE: 'The queue does not answer. `advice` says what to do.',
  },
});

@ObjectType({ description: 'A job that a process is working on, or a job that has failed for good.' })
class Job {
  @Field(() => String, { description: 'The kind of the job.' })
  name!: string;

  @Field(() => String, { description: 'What the job is about: kind, package id, place.' })
  key!: string;

  @Field(() => Int, { description: 'How often the job was started.' })
  attempt!: number;

  @Field(() => Float, {
    nullable: true,
    description: 'The finished part, from 0 to 1. Null for a failed job.',
  })
  progress!: number | null;

  @Field(() => String, { nullable: true, description: 'Why the job failed for good.' })
  reason!: string | null;

  @Field(() => Date, { nullable: true })
  failedAt!: Date | null;
}

@ObjectType({ description: 'The work that this server still has to do, and whether it makes progress.' })
class Queue {
  @Field(() => QueueStateName)
  state!: QueueState;

  @Field(() => String, { nullable: true, description: 'What to do about the state. Null when there is nothing to do.' })
  advice!: string | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Number of jobs that no process works on yet. Null while the queue does not answer.',
  })
  waiting!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Number of those jobs that could run now. The others wait for their time.',
  })
  due!: number | null;

  @Field(() => Int, { nullable: true })
  running!: number | null;

  @Field(() => Int, { nullable: true, description: 'Number of jobs that have failed for good.' })
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
    description: 'The jobs that the processes of this server are working on. Refusals: UNAVAILABLE, INVALID_REQUEST.',
    complexity: connectionCost,
  })
  runningJobs(@Args('first', { type: () => Int, defaultValue: 20 }) first: number): Promise<readonly Job[]> {
    return this.queries.execute(new JobsQuery('running', requireValidFirst(first)));
  }

  @Needs('read')
  @ResolveField(() => [Job], {
    description:
      'Jobs that failed for good within the last 30 days, the latest first. Refusals: UNAVAILABLE, INVALID_REQUEST.',
    complexity: connectionCost,
  })
  failedJobs(@Args('first', { type: () => Int, defaultValue: 20 }) first: number): Promise<readonly Job[]> {
    return this.queries.execute(new JobsQuery('failed', requireValidFirst(first)));
  }
}
