import { QueryBus } from '@nestjs/cqrs';
import { Args, ID, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { textArgument } from '../../../platform/graphql/arguments.js';
import { connectionCost, listCost } from '../../../platform/graphql/cost-limit.js';
import { PageArgs } from '../../../platform/graphql/common.types.js';
import { AccountQuery, AccountsQuery, ApiTokensQuery, SessionsQuery } from '../accounts/accounts.query.js';
import { Account, AccountConnection } from './account.types.js';
import { ApiToken, OpenSession } from './session.types.js';

@Resolver(() => Account)
export class AccountsResolver {
  constructor(private readonly queries: QueryBus) {}

  @Needs('accounts')
  @Query(() => AccountConnection, { description: 'All accounts, ordered by name.', complexity: connectionCost })
  accounts(@Args() { first, after }: PageArgs): Promise<AccountConnection> {
    return this.queries.execute(new AccountsQuery(first, after ?? null));
  }

  @Needs('accounts')
  @Query(() => Account, { nullable: true, description: 'One account.' })
  account(@Args('id', { type: () => ID }) id: string): Promise<Account | null> {
    return this.queries.execute(new AccountQuery(textArgument('id', id)));
  }

  @Needs('accounts')
  @ResolveField(() => [OpenSession], {
    description: 'Open sessions of the account, the last used first.',
    complexity: listCost(10),
  })
  async sessions(@Parent() { id }: Account): Promise<readonly OpenSession[]> {
    const own = currentContext().principal?.proof.id;
    const found = await this.queries.execute(new SessionsQuery(id));
    return found.map((session) => ({ ...session, current: session.id === own }));
  }

  @Needs('accounts')
  @ResolveField(() => [ApiToken], {
    description: 'API tokens of the account that were not revoked, the newest first.',
    complexity: listCost(20),
  })
  apiTokens(@Parent() { id }: Account): Promise<readonly ApiToken[]> {
    return this.queries.execute(new ApiTokensQuery(id));
  }
}
