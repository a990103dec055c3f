import { QueryBus } from '@nestjs/cqrs';
import { Args, Field, ID, Int, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { DEFAULT_FIRST } from '../../../platform/graphql/paging.js';
import { AuditChainQuery, AuditCheckpointsQuery } from './audit-chain.query.js';

@ObjectType({
  description:
    "The server's signed word that its audit trail had this hash at this entry. Kept elsewhere, it shows whether the trail " +
    'still is the one that it was: `npm run audit:verify -- --checkpoint FILE`.',
})
class AuditCheckpoint {
  @Field(() => ID)
  serverId!: string;

  @Field(() => Int, { description: 'Sequence number of the checkpoint, from 1.' })
  sequence!: number;

  @Field(() => Int, { description: 'Number of the last entry that it covers.' })
  number!: number;

  @Field(() => String, { description: 'SHA-256 of that entry, lower-case hex.' })
  hash!: string;

  @Field(() => String, { description: 'Time of the signature, ISO 8601.' })
  at!: string;

  @Field(() => String, { description: 'Public key of the server (Ed25519, base64url) that verifies the signature.' })
  key!: string;

  @Field(() => String, { description: 'SHA-256 of the previous checkpoint; zeros in the first one.' })
  previous!: string;

  @Field(() => String, { description: 'Ed25519, base64url.' })
  signature!: string;
}

@ObjectType({ description: 'The hash chain over all recorded events.' })
class AuditChain {
  @Field(() => Int, { description: 'Number of the last entry.' })
  entries!: number;

  @Field(() => String, { description: 'SHA-256 of the last entry, lower-case hex.' })
  hash!: string;

  @Field(() => Int, { description: 'Entries since the last checkpoint.' })
  unsigned!: number;

  @Field(() => Boolean, {
    description:
      'True when all events of the event log are in the chain. False for a moment is normal; if it stays false, check the log of the server.',
  })
  isUpToDate!: boolean;

  @Field(() => AuditCheckpoint, { nullable: true })
  lastCheckpoint!: AuditCheckpoint | null;
}

@Resolver(() => AuditChain)
export class ChainResolver {
  constructor(private readonly queries: QueryBus) {}

  @Needs('audit')
  @Query(() => AuditChain, {
    description: 'The state of the hash chain of the audit trail, and how much of it is signed.',
  })
  auditChain(): Promise<AuditChain> {
    return this.queries.execute(new AuditChainQuery());
  }

  @Needs('audit')
  @Query(() => AuditCheckpoint, { nullable: true, description: 'The last checkpoint. Keep it outside this server.' })
  async auditCheckpoint(): Promise<AuditCheckpoint | null> {
    return (await this.findCheckpoints(1, null))[0] ?? null;
  }

  @Needs('audit')
  @Query(() => [AuditCheckpoint], { description: 'Checkpoints, newest first. Refusals: INVALID_REQUEST.' })
  auditCheckpoints(
    @Args('first', { type: () => Int, defaultValue: DEFAULT_FIRST }) first: number,
    @Args('before', { type: () => Int, nullable: true, description: 'Only checkpoints with a lower sequence number.' })
    before?: number | null,
  ): Promise<readonly AuditCheckpoint[]> {
    return this.findCheckpoints(first, before ?? null);
  }

  private findCheckpoints(first: number, before: number | null): Promise<readonly AuditCheckpoint[]> {
    return this.queries.execute(new AuditCheckpointsQuery(first, before));
  }
}
