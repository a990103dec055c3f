import { QueryBus } from '@nestjs/cqrs';
import { Field, Int, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { Needs } from '../../platform/access/needs.decorator.js';
import { ProblemsQuery } from './problems.query.js';

@ObjectType({
  description: 'Something that does not go away by itself, so that a person has to do something.',
})
class Problem {
  @Field(() => String, {
    description:
      'The kind of the problem. `EVENTS_UNPROCESSABLE`: a part of this server goes on without events that it cannot process. `ITEMS_UNPROCESSABLE`: the same for items of a peer. `READER_STANDS_STILL`: a part of this server does not follow the event log any more. `WORK_FAILS`: a task of this server fails again and again, or a stored file cannot be verified. `FILES_UNCLAIMED`: files on the disk belong to no package that this server knows. `FACTS_REFUSED`: a peer told what this server does not accept, one problem for each peer and code. `ROLE_MISSING`: no process of this server answers HTTP, or none works in the background. `TLS_CERTIFICATE`: the certificate of this server is of no use to clients, or a new one cannot be used. `PEER_ID_SHARED`: two servers have the id and the key of a peer, because one is a copy of the other. There may be further kinds.',
  })
  kind!: string;

  @Field(() => String, { description: 'What is wrong, in one sentence.' })
  what!: string;

  @Field(() => String, { description: 'The part of the server, or the object, that the problem is about.' })
  where!: string;

  @Field(() => Date, { description: 'Since when there is this problem.' })
  since!: Date;

  @Field(() => Date, {
    nullable: true,
    description: 'When it happened last. Null for a problem that lasts all the time.',
  })
  latest?: Date;

  @Field(() => String, { description: 'What to do.' })
  advice!: string;

  @Field(() => Int, { description: 'The number of things that are affected, such as events.' })
  count!: number;

  @Field(() => [String], { description: 'The first few of the affected things, each with the reason.' })
  examples!: readonly string[];
}

@Resolver(() => Problem)
export class ProblemsResolver {
  constructor(private readonly queries: QueryBus) {}

  @Needs('problems')
  @Query(() => [Problem], {
    description:
      'Everything on this server that needs a person, the oldest problem first. Empty when all is well. A problem is listed until its cause is gone. Refusals: UNAVAILABLE.',
  })
  problems(): Promise<readonly Problem[]> {
    return this.queries.execute(new ProblemsQuery());
  }
}
