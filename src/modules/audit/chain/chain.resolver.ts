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

  @Field(() => Int, { description: 'Counts the checkpoints, from 1.' })
  sequence!: number;

  @Field(() => Int, { description: 'The last entry that it covers.' })
  number!: number;

  @Field(() => String, { description: 'SHA-256 of that entry, lower-case hex.' })
  hash!: string;

  @Field(() => String, { description: 'ISO 8601, as it was signed.' })
  at!: string;

  @Field(() => String, { description: 'Public key of the server (Ed25519, base64url) by which it is signed.' })
  key!: string;

  @Field(() => String, { description: 'SHA-256 of the checkpoint before; zeros in the first.' })
  previous!: string;

  @Field(() => String, { description: 'Ed25519, base64url.' })
  signature!: string;
}

@ObjectType({ description: 'The hash chain over everything that was recorded.' })
class AuditChain {
  @Field(() => Int, { description: 'Number of the last entry.' })
  entries!: number;

  @Field(() => String, { description: 'SHA-256 of the last entry, lower-case hex.' })
  hash!: string;

  @Field(() => Int, { description: 'Entries since the last checkpoint.' })
  unsigned!: number;

  @Field(() => Boolean, {
    description:
      'Is everything in the chain that is in the log? False for some moments is usual; if it stays, see the log of the server.',
  })
  isUpToDate!: boolean;

  @Field(() => AuditCheckpoint, { nullable: true })
  lastCheckpoint!: AuditCheckpoint | null;
}

@Resolver(() => AuditChain)
export class ChainResolver {
  constructor(private readonly queries: QueryBus) {}

  @Needs('audit')
  @Query(() => AuditChain, { description: 'How far the chain of the audit trail is, and how much of it is signed.' })
  auditChain(): Promise<AuditChain> {
    return this.queries.execute(new AuditChainQuery());
  }

  @Needs('audit')
  @Query(() => AuditCheckpoint, { nullable: true, description: 'The last checkpoint, to be kept elsewhere.' })
  async auditCheckpoint(): Promise<AuditCheckpoint | null> {
    return (await this.findCheckpoints(1, null))[0] ?? null;
  }

  @Needs('audit')
  @Query(() => [AuditCheckpoint], { description: 'Checkpoints, the newest first. Refusals: INVALID_REQUEST.' })
  auditCheckpoints(
    @Args('first', { type: () => Int, defaultValue: DEFAULT_FIRST }) first: number,
    @Args('before', { type: () => Int, nullable: true, description: 'Only those with a lower sequence.' }) before?:
      | number
      | null,
  ): Promise<readonly AuditCheckpoint[]> {
    return this.findCheckpoints(first, before ?? null);
  }

  private findCheckpoints(first: number, before: number | null): Promise<readonly AuditCheckpoint[]> {
    return this.queries.execute(new AuditCheckpointsQuery(first, before));
  }
}
