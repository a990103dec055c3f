import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, ID, Int, Mutation, Query, Resolver } from '@nestjs/graphql';
import { permissionsOf } from '../../../kernel/access.js';
import { Refusal } from '../../../kernel/errors.js';
import { BeforePasswordChange, Needs } from '../../../platform/access/needs.decorator.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { passwordArgument, uuidArgument } from '../../../platform/graphql/arguments.js';
import { listCost } from '../../../platform/graphql/cost-limit.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { AccountQuery, SessionsQuery } from '../accounts/accounts.query.js';
import { ChangePassword } from '../sign-in/change-password.command.js';
import { RevokeOtherSessions, RevokeSession } from '../sign-in/close-sessions.command.js';
import { Me } from './account.types.js';
import { OpenSession } from './session.types.js';

@Resolver()
export class OwnSessionsResolver {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readModels: ReadModels,
  ) {}

  @Needs('own')
  @Query(() => [OpenSession], {
    description: 'Open sessions of the caller, the last used first.',
    complexity: listCost(10),
  })
  async sessions(): Promise<readonly OpenSession[]> {
    const { principal } = currentContext();
    const found = await this.queries.execute(new SessionsQuery(principal?.accountId ?? ''));
    return found.map((session) => ({ ...session, current: session.id === principal?.proof.id }));
  }

  @Needs('own')
  @Mutation(() => Boolean, {
    description:
      'Closes a session of the caller, or with the permission `accounts` any session. Refusals: SESSION_NOT_FOUND, INVALID_REQUEST.',
  })
  async revokeSession(@Args('id', { type: () => ID }) id: string): Promise<boolean> {
    await this.readModels.reflect(await this.commands.execute(new RevokeSession(uuidArgument('id', id))));
    return true;
  }

  @Needs('own')
  @Mutation(() => Int, {
    description:
      'Closes all sessions of the caller except the one of this call, which `signOut` closes. Returns the number of closed sessions.',
  })
  async revokeAllSessions(): Promise<number> {
    const { count, receipt } = await this.commands.execute(new RevokeOtherSessions());
    await this.readModels.reflect(receipt);
    return count;
  }
}

/** The calls that a caller can make even before changing a one-time password. */
@Resolver()
export class MeResolver {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readModels: ReadModels,
  ) {}

  @Needs('own')
  @BeforePasswordChange()
  @Query(() => Me, { description: 'The signed-in account and its permissions.' })
  async me(): Promise<Me> {
    const found = await this.queries.execute(new AccountQuery(currentContext().principal?.accountId ?? ''));
    if (!found) throw new Refusal('UNAVAILABLE', 'The account is not in the read model yet. Try again in a moment.');
    return { ...found, permissions: permissionsOf(found.roles) };
  }

  @Needs('own')
  @BeforePasswordChange()
  @Mutation(() => Boolean, {
    description:
      'Changes the password of the caller (12 to 200 characters of any kind, not the username) and closes all other sessions. ' +
      'Refusals: SIGN_IN_REFUSED (`current` is wrong), PASSWORD_REFUSED, TOO_MANY_REQUESTS, ACCOUNT_IN_DIRECTORY.',
  })
  async changePassword(
    @Args('current', { type: () => String }) current: string,
    @Args('new', { type: () => String }) next: string,
  ): Promise<boolean> {
    const command = new ChangePassword(passwordArgument('current', current), passwordArgument('new', next));
    await this.readModels.reflect(await this.commands.execute(command));
    return true;
  }
}
