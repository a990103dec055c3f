import { setTimeout as delay } from 'node:timers/promises';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../kernel/errors.js';
import { CommandRunner, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { currentContext, withContext } from '../../../platform/runtime/call-context.js';
import { PatientLimit } from '../../../platform/limits/patient-limit.js';
import { addressGroup } from '../../../platform/limits/rate-limit.js';
import { account } from '../accounts/account.decider.js';
import type { KnownAccount } from '../accounts/account.state.js';
import { accountIdOf } from '../accounts/username.js';
import { DirectoryPasswords } from '../directory/directory-passwords.js';
import { type Attempt, attemptKeys, FailedAttempts } from './failed-attempts.js';
import { KnownAddresses } from './known-addresses.js';
import { LocalPasswords } from './passwords.js';
import { RefusedSignIn, RefusedSignIns } from './refusals.js';
import { SessionStore } from './session-store.js';

/**
 * Checks a name and a password, and opens a session. Refusals: SIGN_IN_REFUSED, TOO_MANY_REQUESTS,
 * DIRECTORY_UNAVAILABLE, UNAVAILABLE.
 */
export class SignIn extends Command<SignedInSession> {
  constructor(
    readonly username: string,
    readonly password: string,
    /** The header `User-Agent` of the call. */
    readonly userAgent: string | null = null,
  ) {
    super();
  }
}

interface SignedInSession {
  /** The token for the header `Authorization: Bearer` or the cookie. It is returned only once. */
  readonly token: string;
  readonly expiresAt: Date;
  readonly receipt: Receipt;
}

/**
 * Shortest time of a refusal when there is a directory, a little longer than a refusal usually takes. Otherwise the time
 * would reveal whether a name exists.
 */
const MIN_REFUSAL_MS = 300;

/** During a pause every check is made in turn, with this time after each wrong one. */
const DURING_PAUSES = { burst: 0, perSecond: 0, pauseMs: 1_000, maxWaiting: 20 };

/** The sign-in is recorded before the session is opened. */
@CommandHandler(SignIn)
export class SignInHandler implements ICommandHandler<SignIn> {
  private readonly duringPauses = new PatientLimit('Too many failed attempts', DURING_PAUSES);

  constructor(
    private readonly passwords: LocalPasswords,
    private readonly directory: DirectoryPasswords,
    private readonly attempts: FailedAttempts,
    private readonly addresses: KnownAddresses,
    private readonly refused: RefusedSignIns,
    private readonly runner: CommandRunner,
    private readonly sessions: SessionStore,
  ) {}

  async execute({ username, password, userAgent }: SignIn): Promise<SignedInSession> {
    const { accountId: id, username: name } = await this.authenticateCaller(username, password);
    const { address } = currentContext();
    return withContext({ actor: { kind: 'account', id, name } }, async () => {
      const { receipt } = await this.runner.run(account, id, { type: 'signIn' });
      await this.addresses.rememberAddress(id, address);
      const { token, expiresAt } = await this.sessions.openSession(id, { address, userAgent });
      return { token, expiresAt, receipt };
    });
  }

  private async authenticateCaller(username: string, password: string): Promise<KnownAccount> {
    const startedAt = performance.now();
    try {
      const attempt = await this.attempts.beginAttempt(attemptKeys(currentContext().address, username));
      if (attempt.addressPause === null) return await this.checkCredentials(attempt, username, password);
      return await this.checkDuringPause(attempt, username, password);
    } catch (error) {
      if (error instanceof Refusal) await this.refused.recordRefusal(username, error);
      if (this.directory.isConfigured) await delay(Math.max(0, MIN_REFUSAL_MS - (performance.now() - startedAt)));
      throw error;
    }
  }

  /**
   * During a pause of the address, people who have signed in from there before are let in with the right password, one after
   * the other. Each wrong password takes a second, so nobody can guess any faster this way.
   */
  private async checkDuringPause(attempt: Attempt, username: string, password: string): Promise<KnownAccount> {
    const { address } = currentContext();
    if (!(await this.addresses.isKnown(accountIdOf(username), address))) this.attempts.requireNoAddressPause(attempt);
    const found = await this.duringPauses.check(addressGroup(address), async () => {
      try {
        return await this.checkCredentials(attempt, username, password);
      } catch (error) {
        if (error instanceof RefusedSignIn) this.attempts.requireNoAddressPause(attempt);
        throw error;
      }
    });
    if (!found) throw RefusedSignIn.wrongCredentials();
    return found;
  }

  /** Gives the same answer after the same work, whether the name, the password or the account is wrong. */
  private async checkCredentials(attempt: Attempt, username: string, password: string): Promise<KnownAccount> {
    const local = await this.passwords.checkPassword(username, password);
    const mayBeRight = local !== null || this.directory.isConfigured;
    const isKnown =
      mayBeRight && (await this.addresses.isKnown(local ?? accountIdOf(username), currentContext().address));
    if (!isKnown) this.attempts.requireNoPause(attempt);
    const accountId = local ?? (await this.askDirectory(attempt, username, password));
    const state = await this.runner.load(account, accountId);
    if (!state || state.disabled || (local !== null && state.source !== 'local'))
      throw RefusedSignIn.wrongCredentials();
    await this.attempts.undoFailure(attempt);
    return state;
  }

  private async askDirectory(attempt: Attempt, username: string, password: string): Promise<string> {
    if (!this.directory.isConfigured) throw RefusedSignIn.wrongCredentials();
    try {
      return await this.directory.checkPassword(username, password);
    } catch (error) {
      if (error instanceof RefusedSignIn && error.passwordIsRight) {
        await this.attempts.undoFailure(attempt);
        throw error;
      }
      if (error instanceof Refusal && error.code === 'DIRECTORY_UNAVAILABLE')
        await this.attempts.undoForAddress(attempt);
      if (error instanceof Refusal) this.attempts.requireNoPause(attempt);
      throw error;
    }
  }
}
