import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, ID, Int, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Needs } from '../../../platform/auth/needs.decorator.js';
import { currentContext } from '../../../platform/context/call-context.js';
import { uuidArgument } from '../../../platform/graphql/arguments.js';
import { listCost } from '../../../platform/graphql/limits/cost-limit.js';
import { ReadModels } from '../../../platform/projections/read-models.js';
import { RevokeOtherSessions, RevokeSession } from '../commands/sessions/close-sessions.command.js';
import { SessionsQuery } from '../queries/accounts.query.js';
import { OpenSession } from './session.types.js';

@Resolver()
export class OwnSessionsResolver {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readModels: ReadModels,
  ) {}

  @Needs('own')
  @Query(() => [OpenSession], { description: 'The own open sessions, the last used first.', complexity: listCost(10) })
  async sessions(): Promise<readonly OpenSession[]> {
    const { principal } = currentContext();
    const found = await this.queries.execute(new SessionsQuery(principal?.accountId ?? ''));
    return found.map((session) => ({ ...session, current: session.id === principal?.proof.id }));
  }

  @Needs('own')
  @Mutation(() => Boolean, {
    description:
      "Closes an own session, or anybody's with the permission `accounts`. Refusals: SESSION_NOT_FOUND, INVALID_REQUEST.",
  })
  async revokeSession(@Args('id', { type: () => ID }) id: string): Promise<boolean> {
    await this.readModels.reflect(await this.commands.execute(new RevokeSession(uuidArgument('id', id))));
    return true;
  }

  @Needs('own')
  @Mutation(() => Int, {
    description: 'Closes all own sessions but the one that asks; `signOut` closes that. Returns how many.',
  })
  async revokeAllSessions(): Promise<number> {
    const { count, receipt } = await this.commands.execute(new RevokeOtherSessions());
    await this.readModels.reflect(receipt);
    return count;
  }
}
