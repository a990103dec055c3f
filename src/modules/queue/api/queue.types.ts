import { Field, Float, Int, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { QueueState } from '../contracts/queue-view.js';

/** `QUEUE_STATES` as GraphQL names them. */
export enum QueueStateName {
  IDLE = 'IDLE',
  WORKING = 'WORKING',
  STUCK = 'STUCK',
  UNAVAILABLE = 'UNAVAILABLE',
}

registerEnumType(QueueStateName, {
  name: 'QueueState',
  description: 'How the job queue is.',
  valuesMap: {
    IDLE: { description: 'Nothing is due.' },
    WORKING: { description: 'Jobs run, or are about to.' },
    STUCK: { description: 'Jobs are due and no process takes them; `advice` says what to do.' },
    UNAVAILABLE: { description: 'It does not answer; `advice` says what to do.' },
  },
});

@ObjectType({ description: 'A job that some process works on, or one that gave up.' })
export class Job {
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
export class Queue {
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
