import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, ID, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Refusal } from '../../../kernel/errors.js';
import { Needs } from '../../../platform/access/needs.decorator.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { textArgument, uuidArgument } from '../../../platform/graphql/arguments.js';
import { listCost } from '../../../platform/graphql/cost-limit.js';
import { StageName } from '../../../platform/graphql/common.types.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { IssueApiToken, RevokeApiToken } from '../tokens/api-token.command.js';
import { ApiTokensQuery } from '../accounts/accounts.query.js';
import type { Permission } from '../../../kernel/access.js';
import { PermissionName } from './account.types.js';
import { ApiToken, NewApiToken } from './session.types.js';
import type { Stage } from '../../../kernel/stage.js';

@Resolver()
export class ApiTokensResolver {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readModels: ReadModels,
  ) {}

  @Needs('own')
  @Query(() => [ApiToken], {
    description: 'API tokens of the caller that were not revoked, the newest first.',
    complexity: listCost(20),
  })
  apiTokens(): Promise<readonly ApiToken[]> {
    return this.queries.execute(new ApiTokensQuery(currentContext().principal?.accountId ?? ''));
  }

  @Needs('own')
  @Mutation(() => NewApiToken, {
    description:
      'Issues a token for a program. Scopes are read, upload, promote, remove, peers, retry and audit, as far as the caller has ' +
      'these permissions. Without `expiresAt` it is valid for a year, which is the longest time. Refusals: FORBIDDEN, INVALID_REQUEST.',
  })
  async createApiToken(
    @Args('name', { type: () => String }) name: string,
    @Args('scopes', { type: () => [PermissionName] }) scopes: Permission[],
    @Args('publishUpTo', { type: () => StageName, nullable: true }) publishUpTo?: Stage | null,
    @Args('expiresAt', { type: () => Date, nullable: true }) expiresAt?: Date | null,
  ): Promise<NewApiToken> {
    const as = {
      name: textArgument('name', name),
      scopes,
      publishUpTo: publishUpTo ?? null,
      expiresAt: expiresAt ?? null,
    };
    const { token, tokenId, accountId, receipt } = await this.commands.execute(new IssueApiToken(as));
    await this.readModels.reflect(receipt);
    const apiToken = (await this.queries.execute(new ApiTokensQuery(accountId))).find(({ id }) => id === tokenId);
    if (!apiToken) throw new Refusal('TOKEN_NOT_FOUND', 'The token was revoked in the meantime.');
    return { token, apiToken };
  }

  @Needs('own')
  @Mutation(() => Boolean, {
    description:
      'Revokes a token of the caller, or with the permission `accounts` any token. Refusals: TOKEN_NOT_FOUND, INVALID_REQUEST.',
  })
  async revokeApiToken(@Args('id', { type: () => ID }) id: string): Promise<boolean> {
    await this.readModels.reflect(await this.commands.execute(new RevokeApiToken(uuidArgument('id', id))));
    return true;
  }
}
