import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { Refusal } from '../../../kernel/refusal.js';
import { permissionsOf } from '../../../kernel/role.js';
import { BeforePasswordChange, Needs } from '../../../platform/auth/needs.decorator.js';
import { currentContext } from '../../../platform/context/call-context.js';
import { textArgument } from '../../../platform/graphql/arguments.js';
import { ReadModels } from '../../../platform/projections/read-models.js';
import { ChangePassword } from '../commands/passwords/change-password.command.js';
import { AccountQuery } from '../queries/accounts.query.js';
import { Me } from './account.types.js';

/** What is possible also for who has to change their password first. */
@Resolver()
export class MeResolver {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readModels: ReadModels,
  ) {}

  @Needs('own')
  @BeforePasswordChange()
  @Query(() => Me, { description: 'Who is signed in, and what they may do.' })
  async me(): Promise<Me> {
    const found = await this.queries.execute(new AccountQuery(currentContext().principal?.accountId ?? ''));
    if (!found) throw new Refusal('UNAVAILABLE', 'The account is not shown yet. Try again soon.');
    return { ...found, permissions: permissionsOf(found.roles) };
  }

  @Needs('own')
  @BeforePasswordChange()
  @Mutation(() => Boolean, {
    description:
      'Changes the own password (12 to 200 characters of any kind, not the username) and closes all other sessions. ' +
      'Refusals: SIGN_IN_REFUSED (`current` is wrong), PASSWORD_REFUSED, TOO_MANY_REQUESTS, ACCOUNT_IN_DIRECTORY.',
  })
  async changePassword(
    @Args('current', { type: () => String }) current: string,
    @Args('new', { type: () => String }) next: string,
  ): Promise<boolean> {
    const command = new ChangePassword(textArgument('current', current), textArgument('new', next));
    await this.readModels.reflect(await this.commands.execute(command));
    return true;
  }
}
