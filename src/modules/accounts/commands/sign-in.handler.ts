import { Logger } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/refusal.js';
import { currentContext, withContext } from '../../../platform/context/call-context.js';
import { CommandRunner } from '../../../platform/cqrs/command-runner.js';
import { FactsLog } from '../../../platform/cqrs/facts-log.js';
import { RefusalRecord } from '../../../platform/limits/refusal-record.js';
import { Sessions } from '../../../ports/sessions.port.js';
import { accountEvents } from '../contracts/account.events.js';
import { account } from '../domain/account.decider.js';
import { FailedAttempts } from './failed-attempts.js';
import { PasswordHashing } from './password-hashing.js';
import { PasswordStore, type StoredPassword } from './password-store.js';
import { SignIn, type SignedInSession } from './sign-in.command.js';

const MAX_RECORDED_NAME = 100;

/** The sign-in is on record before there is a session. */
@CommandHandler(SignIn)
export class SignInHandler implements ICommandHandler<SignIn, SignedInSession> {
  private readonly refusals = new RefusalRecord(new Logger('SignIn'));

  constructor(
    private readonly passwords: PasswordStore,
    private readonly hashing: PasswordHashing,
    private readonly attempts: FailedAttempts,
    private readonly runner: CommandRunner,
    private readonly log: FactsLog,
    private readonly sessions: Sessions,
  ) {}

  async execute({ username, password }: SignIn): Promise<SignedInSession> {
    const { accountId } = await this.authenticate(username, password);
    return withContext({ actor: { kind: 'account', id: accountId, name: username } }, async () => {
      const { receipt } = await this.runner.run(account, accountId, { type: 'signIn' });
      return { ...(await this.sessions.open({ id: accountId, name: username })), receipt };
    });
  }

  private async authenticate(username: string, password: string): Promise<StoredPassword> {
    const key = `${currentContext().address} ${username.slice(0, MAX_RECORDED_NAME)}`;
    try {
      this.attempts.check(key);
      const stored = await this.passwords.find(username);
      if (stored && (await this.hashing.matches(stored.hash, password))) return this.accept(key, stored);
      if (!stored) await this.hashing.matches(null, password);
      this.attempts.failed(key);
      throw new Refusal('SIGN_IN_REFUSED', 'The name or the password is wrong.');
    } catch (error) {
      if (error instanceof Refusal) await this.record(username, error.message);
      throw error;
    }
  }

  /** Guesses that were checked side by side with the failed ones count for nothing. */
  private accept(key: string, stored: StoredPassword): StoredPassword {
    this.attempts.check(key);
    this.attempts.succeeded(key);
    return stored;
  }

  private record(username: string, reason: string): Promise<void> {
    return this.refusals.note((unrecorded) => {
      const data = { username: username.slice(0, MAX_RECORDED_NAME), reason, unrecorded };
      return this.log.append('account-refusals', accountEvents, { type: 'SignInRefused', data });
    });
  }
}
