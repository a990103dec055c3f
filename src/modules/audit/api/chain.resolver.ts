import { QueryBus } from '@nestjs/cqrs';
import { Args, Int, Query, Resolver } from '@nestjs/graphql';
import { Needs } from '../../../platform/auth/needs.decorator.js';
import { DEFAULT_FIRST } from '../../../platform/paging/page.js';
import { AuditChainQuery, AuditCheckpointsQuery } from '../queries/chain/audit-chain.query.js';
import { AuditChain, AuditCheckpoint } from './chain.types.js';

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
