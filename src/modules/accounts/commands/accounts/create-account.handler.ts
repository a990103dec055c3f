import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { checkNewPassword } from '../../domain/password-policy.js';
import { checkedDisplayName, checkedUsername } from '../../domain/username.js';
import { accountIdOf } from '../account-id.js';
import { makeOneTimePassword, PasswordHashing } from '../../../../platform/secrets/password-hashing.js';
import { PasswordStore } from '../passwords/password-store.js';
import { AccountChanges } from '../standing/account-changes.js';
import { LiveAccounts } from '../standing/live-accounts.js';
import { CreateAccount, type GivenPassword } from './create-account.command.js';

/** The event comes last: a password without an account opens nothing. */
@CommandHandler(CreateAccount)
export class CreateAccountHandler implements ICommandHandler<CreateAccount> {
  constructor(
    private readonly changes: AccountChanges,
    private readonly accounts: LiveAccounts,
    private readonly passwords: PasswordStore,
    private readonly hashing: PasswordHashing,
  ) {}

  async execute({ as: { username, displayName, password: given, ...rights } }: CreateAccount): Promise<GivenPassword> {
    const name = checkedUsername(username);
    if (given !== null) checkNewPassword(given, name);
    const password = given ?? makeOneTimePassword();
    const accountId = accountIdOf(name);
    const as = {
      accountId,
      username: name,
      displayName: checkedDisplayName(displayName),
      source: 'local',
      mustChangePassword: true,
    } as const;
    const command = { type: 'create', as: { ...as, ...rights } } as const;
    const hash = await this.hashing.hash(password);
    const receipt = await this.changes.runExclusively(async () => {
      this.changes.requirePossible(await this.accounts.readFromLog(accountId), command);
      await this.passwords.set(accountId, name, hash);
      return this.changes.runCommand(accountId, command);
    });
    return { accountId, oneTimePassword: given === null ? password : null, receipt };
  }
}
