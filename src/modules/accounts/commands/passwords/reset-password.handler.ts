import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Sessions } from '../../../../ports/sessions.port.js';
import { checkNewPassword } from '../../domain/password-policy.js';
import type { GivenPassword } from '../accounts/create-account.command.js';
import { AccountChanges } from '../standing/account-changes.js';
import { ResetPassword } from './change-password.command.js';
import { makeOneTimePassword, PasswordHashing } from '../../../../platform/secrets/password-hashing.js';
import { PasswordStore } from './password-store.js';

/** In the same order as a change by the owner. */
@CommandHandler(ResetPassword)
export class ResetPasswordHandler implements ICommandHandler<ResetPassword> {
  constructor(
    private readonly changes: AccountChanges,
    private readonly passwords: PasswordStore,
    private readonly hashing: PasswordHashing,
    private readonly sessions: Sessions,
  ) {}

  async execute({ accountId, password: given }: ResetPassword): Promise<GivenPassword> {
    const { username } = await this.changes.requireAccount(accountId);
    if (given !== null) checkNewPassword(given, username);
    const password = given ?? makeOneTimePassword();
    const hash = await this.hashing.hash(password);
    const command = { type: 'changePassword', by: 'admin', mustChangePassword: true } as const;
    const receipt = await this.changes.runExclusively(async () => {
      this.changes.requirePossible(await this.changes.requireAccount(accountId), command);
      await this.passwords.set(accountId, username, hash);
      await this.sessions.closeAll(accountId);
      return this.changes.runCommand(accountId, command);
    });
    return { accountId, oneTimePassword: given === null ? password : null, receipt };
  }
}
