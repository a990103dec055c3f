import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/errors.js';
import type { Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { currentContext } from '../../../platform/runtime/call-context.js';
import { makeOneTimePassword, PasswordHashing } from '../../../platform/secrets/password-hashing.js';
import { AccountChanges } from '../accounts/account-changes.js';
import type { GivenPassword } from '../accounts/create-account.command.js';
import { attemptKeys, FailedAttempts } from './failed-attempts.js';
import { checkNewPassword, PasswordStore } from './passwords.js';
import { SessionStore } from './session-store.js';

/**
 * Changes the password of the caller and closes all other sessions. Refusals: SIGN_IN_REFUSED, PASSWORD_REFUSED,
 * TOO_MANY_REQUESTS, ACCOUNT_IN_DIRECTORY, FORBIDDEN without a session.
 */
export class ChangePassword extends Command<Receipt> {
  constructor(
    readonly current: string,
    readonly next: string,
  ) {
    super();
  }
}

/**
 * Sets a new password for an account, which has to be changed at the next sign-in, and closes its sessions.
 * @param password null to have one generated. Refusals: ACCOUNT_NOT_FOUND, PASSWORD_REFUSED, ACCOUNT_IN_DIRECTORY.
 */
export class ResetPassword extends Command<GivenPassword> {
  constructor(
    readonly accountId: string,
    readonly password: string | null,
  ) {
    super();
  }
}

/**
 * Saves the hash, closes the other sessions, and appends the event last. After a crash in between, the new password is
 * valid, and a password that had to be changed still has to be changed.
 */
@CommandHandler(ChangePassword)
export class ChangePasswordHandler implements ICommandHandler<ChangePassword> {
  constructor(
    private readonly changes: AccountChanges,
    private readonly passwords: PasswordStore,
    private readonly hashing: PasswordHashing,
    private readonly attempts: FailedAttempts,
    private readonly sessions: SessionStore,
  ) {}

  async execute({ current, next }: ChangePassword): Promise<Receipt> {
    const { principal } = currentContext();
    if (principal?.proof.kind !== 'session')
      throw new Refusal('FORBIDDEN', 'Only a signed-in person can change a password.');
    const { accountId, proof } = principal;
    const { username } = await this.changes.requireAccount(accountId);
    const command = { type: 'changePassword', by: 'owner', mustChangePassword: false } as const;
    return this.changes.runExclusively(async () => {
      this.changes.requirePossible(await this.changes.requireAccount(accountId), command);
      await this.requireCurrent(accountId, username, current);
      checkNewPassword(next, username);
      if (next === current) throw new Refusal('PASSWORD_REFUSED', 'The new password must differ from the current one.');
      await this.passwords.saveHash(accountId, username, await this.hashing.hashPassword(next));
      await this.sessions.closeSessionsOf(accountId, proof.id);
      return this.changes.runCommand(accountId, command);
    });
  }

  /** Attempts are counted, so that somebody who took over a session cannot guess the password any faster. */
  private async requireCurrent(accountId: string, username: string, current: string): Promise<void> {
    const attempt = await this.attempts.beginAttempt(attemptKeys(currentContext().address, username));
    this.attempts.requireNoAddressPause(attempt);
    const isRight = await this.hashing.matchesHash(await this.passwords.findHash(accountId), current);
    if (!isRight) throw new Refusal('SIGN_IN_REFUSED', 'The current password is wrong.');
    await this.attempts.undoFailure(attempt);
  }
}

/** Works in the same order as a change by the owner. */
@CommandHandler(ResetPassword)
export class ResetPasswordHandler implements ICommandHandler<ResetPassword> {
  constructor(
    private readonly changes: AccountChanges,
    private readonly passwords: PasswordStore,
    private readonly hashing: PasswordHashing,
    private readonly sessions: SessionStore,
  ) {}

  async execute({ accountId, password: given }: ResetPassword): Promise<GivenPassword> {
    const { username } = await this.changes.requireAccount(accountId);
    if (given !== null) checkNewPassword(given, username);
    const password = given ?? makeOneTimePassword();
    const hash = await this.hashing.hashPassword(password);
    const command = { type: 'changePassword', by: 'admin', mustChangePassword: true } as const;
    const receipt = await this.changes.runExclusively(async () => {
      this.changes.requirePossible(await this.changes.requireAccount(accountId), command);
      await this.passwords.saveHash(accountId, username, hash);
      await this.sessions.closeSessionsOf(accountId);
      return this.changes.runCommand(accountId, command);
    });
    return { accountId, oneTimePassword: given === null ? password : null, receipt };
  }
}
