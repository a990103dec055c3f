import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../../kernel/refusal.js';
import { currentContext, withContext } from '../../../../platform/context/call-context.js';
import { CommandRunner } from '../../../../platform/cqrs/command-runner.js';
import { Sessions } from '../../../../ports/sessions.port.js';
import { account } from '../../domain/account.decider.js';
import type { KnownAccount } from '../../domain/account.state.js';
import { RefusedSignIns } from '../refused/refused-sign-ins.js';
import { attemptKeys } from './attempt-keys.js';
import { FailedAttempts, type Attempt } from './failed-attempts.js';
import { KnownAddresses } from './known-addresses.js';
import { LocalPasswords } from './local-passwords.js';
import { SignIn, type SignedInSession } from './sign-in.command.js';

const wrong = (): Refusal => new Refusal('SIGN_IN_REFUSED', 'The name or the password is wrong.');

/** The sign-in is on record before there is a session. */
@CommandHandler(SignIn)
export class SignInHandler implements ICommandHandler<SignIn> {
  constructor(
    private readonly passwords: LocalPasswords,
    private readonly attempts: FailedAttempts,
    private readonly addresses: KnownAddresses,
    private readonly refused: RefusedSignIns,
    private readonly runner: CommandRunner,
    private readonly sessions: Sessions,
  ) {}

  async execute({ username, password, userAgent }: SignIn): Promise<SignedInSession> {
    const { accountId: id, username: name } = await this.authenticate(username, password);
    const { address } = currentContext();
    return withContext({ actor: { kind: 'account', id, name } }, async () => {
      const { receipt } = await this.runner.run(account, id, { type: 'signIn' });
      await this.addresses.remember(id, address);
      const { token, expiresAt } = await this.sessions.open(id, { address, userAgent });
      return { token, expiresAt, receipt };
    });
  }

  private async authenticate(username: string, password: string): Promise<KnownAccount> {
    try {
      const attempt = await this.attempts.begin(attemptKeys(currentContext().address, username));
      const accountId = await this.passwords.check(username, password);
      return await this.admit(attempt, accountId);
    } catch (error) {
      if (error instanceof Refusal) await this.refused.note(username, error);
      throw error;
    }
  }

  /** Says the same, after the same work, whether the name, the password or the account is at fault. */
  private async admit(attempt: Attempt, accountId: string | null): Promise<KnownAccount> {
    const known = accountId !== null && (await this.addresses.has(accountId, currentContext().address));
    if (!known) this.attempts.requireNoPause(attempt);
    const state = accountId === null ? null : await this.runner.load(account, accountId);
    if (!state || state.disabled) throw wrong();
    await this.attempts.succeeded(attempt);
    return state;
  }
}
