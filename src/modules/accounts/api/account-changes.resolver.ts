import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { Args, ID, Mutation, Resolver } from '@nestjs/graphql';
import { Refusal } from '../../../kernel/errors.js';
import { Needs } from '../../../platform/access/needs.decorator.js';
import type { Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { optionalPassword, optionalText, textArgument } from '../../../platform/graphql/arguments.js';
import { StageName } from '../../../platform/graphql/common.types.js';
import { ReadModels } from '../../../platform/eventsourcing/read-models.js';
import { CreateAccount, type GivenPassword } from '../accounts/create-account.command.js';
import { DisableAccount, EnableAccount, UpdateAccount } from '../accounts/change-account.command.js';
import { ResetPassword } from '../sign-in/change-password.command.js';
import { AccountQuery } from '../accounts/accounts.query.js';
import { Account, AccountWithPassword, RoleName } from './account.types.js';
import type { Stage } from '../../../kernel/stage.js';
import type { Role } from '../../../kernel/access.js';

@Resolver()
export class AccountChangesResolver {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly readModels: ReadModels,
  ) {}

  @Needs('accounts')
  @Mutation(() => AccountWithPassword, {
    description:
      'Creates a local account. Its password, generated or given, has to be changed at the first sign-in. The role publisher needs ' +
      '`publishUpTo`. Refusals: INVALID_USERNAME, USERNAME_TAKEN, PASSWORD_REFUSED, INVALID_REQUEST.',
  })
  async createAccount(
    @Args('username', { type: () => String }) username: string,
    @Args('roles', { type: () => [RoleName] }) roles: Role[],
    @Args('publishUpTo', { type: () => StageName, nullable: true }) publishUpTo?: Stage | null,
    @Args('displayName', { type: () => String, nullable: true }) displayName?: string | null,
    @Args('password', { type: () => String, nullable: true }) password?: string | null,
  ): Promise<AccountWithPassword> {
    const as = {
      username: textArgument('username', username),
      displayName: optionalText('displayName', displayName),
      roles,
      publishUpTo: publishUpTo ?? null,
      password: optionalPassword('password', password),
    };
    return this.withPassword(await this.commands.execute(new CreateAccount(as)));
  }

  @Needs('accounts')
  @Mutation(() => Account, {
    description:
      'Changes the roles, the limit of the role publisher, or the display name. Fields that are left out stay as they are. It takes effect at the next ' +
      'call of the account. Refusals: ACCOUNT_NOT_FOUND, LAST_ADMIN, ACCOUNT_IN_DIRECTORY, INVALID_REQUEST.',
  })
  updateAccount(
    @Args('id', { type: () => ID }) id: string,
    @Args('roles', { type: () => [RoleName], nullable: true }) roles?: Role[] | null,
    @Args('publishUpTo', { type: () => StageName, nullable: true }) publishUpTo?: Stage | null,
    @Args('displayName', { type: () => String, nullable: true }) displayName?: string | null,
  ): Promise<Account> {
    const name = displayName === undefined ? undefined : optionalText('displayName', displayName);
    return this.executeChange(
      id,
      new UpdateAccount(textArgument('id', id), { roles: roles ?? undefined, publishUpTo, displayName: name }),
    );
  }

  @Needs('accounts')
  @Mutation(() => Account, {
    description:
      'Disables an account until it is enabled: its sessions are closed, and its tokens are not accepted. Refusals: ACCOUNT_NOT_FOUND, LAST_ADMIN.',
  })
  disableAccount(@Args('id', { type: () => ID }) id: string): Promise<Account> {
    return this.executeChange(id, new DisableAccount(textArgument('id', id)));
  }

  @Needs('accounts')
  @Mutation(() => Account, {
    description:
      'Enables a disabled account. It can sign in again, and its tokens are accepted again. Refusals: ACCOUNT_NOT_FOUND.',
  })
  enableAccount(@Args('id', { type: () => ID }) id: string): Promise<Account> {
    return this.executeChange(id, new EnableAccount(textArgument('id', id)));
  }

  @Needs('accounts')
  @Mutation(() => AccountWithPassword, {
    description:
      'Sets a new password for an account, generated or given, which has to be changed at the next sign-in, and closes its sessions. ' +
      'Its tokens stay valid. Refusals: ACCOUNT_NOT_FOUND, PASSWORD_REFUSED, ACCOUNT_IN_DIRECTORY.',
  })
  async resetPassword(
    @Args('id', { type: () => ID }) id: string,
    @Args('password', { type: () => String, nullable: true }) password?: string | null,
  ): Promise<AccountWithPassword> {
    return this.withPassword(
      await this.commands.execute(new ResetPassword(textArgument('id', id), optionalPassword('password', password))),
    );
  }

  private async withPassword({ accountId, oneTimePassword, receipt }: GivenPassword): Promise<AccountWithPassword> {
    return { account: await this.loadChanged(accountId, receipt), oneTimePassword };
  }

  private async executeChange(id: string, command: UpdateAccount | DisableAccount | EnableAccount): Promise<Account> {
    return this.loadChanged(id, await this.commands.execute(command));
  }

  private async loadChanged(id: string, receipt: Receipt): Promise<Account> {
    await this.readModels.reflect(receipt);
    const found = await this.queries.execute(new AccountQuery(id));
    if (!found) throw new Refusal('ACCOUNT_NOT_FOUND', 'There is no such account.');
    return found;
  }
}
