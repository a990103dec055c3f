import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../../kernel/refusal.js';
import { currentContext } from '../../../../platform/context/call-context.js';
import type { Receipt } from '../../../../platform/cqrs/command-runner.js';
import { Sessions } from '../../../../ports/sessions.port.js';
import { checkNewPassword } from '../../domain/password-policy.js';
import { attemptKeys } from '../sign-in/attempt-keys.js';
import { FailedAttempts } from '../sign-in/failed-attempts.js';
import { AccountChanges } from '../standing/account-changes.js';
import { ChangePassword } from './change-password.command.js';
import { PasswordHashing } from '../../../../platform/secrets/password-hashing.js';
import { PasswordStore } from './password-store.js';

/**
 * The hash is stored, the other sessions are closed, and then it is on record: after a crash in between the new password
 * counts, and one that had to be changed still has to be.
 */
@CommandHandler(ChangePassword)
export class ChangePasswordHandler implements ICommandHandler<ChangePassword> {
  constructor(
    private readonly changes: AccountChanges,
    private readonly passwords: PasswordStore,
    private readonly hashing: PasswordHashing,
    private readonly attempts: FailedAttempts,
    private readonly sessions: Sessions,
  ) {}

  async execute({ current, next }: ChangePassword): Promise<Receipt> {
    const { principal } = currentContext();
    if (principal?.proof.kind !== 'session')
      throw new Refusal('FORBIDDEN', 'Only who has signed in can change a password.');
    const { accountId, proof } = principal;
    const { username } = await this.changes.requireAccount(accountId);
    const command = { type: 'changePassword', by: 'owner', mustChangePassword: false } as const;
    return this.changes.runExclusively(async () => {
      this.changes.requirePossible(await this.changes.requireAccount(accountId), command);
      await this.requireCurrent(accountId, username, current);
      checkNewPassword(next, username);
      if (next === current) throw new Refusal('PASSWORD_REFUSED', 'The new password must be another one.');
      await this.passwords.set(accountId, username, await this.hashing.hash(next));
      await this.sessions.closeAll(accountId, proof.id);
      return this.changes.runCommand(accountId, command);
    });
  }

  /** Who took over a session may guess no more often than who has none. */
  private async requireCurrent(accountId: string, username: string, current: string): Promise<void> {
    const attempt = await this.attempts.beginAttempt(attemptKeys(currentContext().address, username));
    const isRight = await this.hashing.matches(await this.passwords.find(accountId), current);
    if (!isRight) throw new Refusal('SIGN_IN_REFUSED', 'The current password is wrong.');
    await this.attempts.undoFailure(attempt);
  }
}
