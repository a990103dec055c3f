import { Injectable } from '@nestjs/common';
import { Refusal } from '../../../kernel/errors.js';
import { CommandRunner, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { LiveViews } from '../../../platform/eventsourcing/live-views.js';
import { Locks } from '../../../ports/locks.port.js';
import { account, type AccountCommand } from './account.decider.js';
import { isStandingAdmin, type KnownAccount } from './account.state.js';
import { LiveAccounts } from './live-accounts.js';

/** Runs commands on accounts. When a command returns, the next call in this process is judged by the new state. */
@Injectable()
export class AccountChanges {
  constructor(
    private readonly runner: CommandRunner,
    private readonly views: LiveViews,
    private readonly locks: Locks,
    private readonly accounts: LiveAccounts,
  ) {}

  /** Runs a command on an account. @throws Refusal as the decider refuses it */
  async runCommand(accountId: string, command: AccountCommand): Promise<Receipt> {
    const { receipt } = await this.runner.run(account, accountId, command);
    if (receipt.cursor !== null) await this.views.reflect(receipt);
    return receipt;
  }

  /**
   * Runs one piece of work at a time on the whole server. Needed where a decision depends on other accounts, and where a
   * password changes as well. @throws Refusal UNAVAILABLE when the server stops
   */
  async runExclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = await this.locks.hold('accounts', async () => ({
      result: await work(),
    }));
    if (!done) throw new Refusal('UNAVAILABLE', 'The server is stopping. Try again soon.');
    return done.result;
  }

  /** Reads the present state of an account from the log. @throws Refusal ACCOUNT_NOT_FOUND */
  async requireAccount(accountId: string): Promise<KnownAccount> {
    const known = await this.accounts.readFromLog(accountId);
    if (!known) throw new Refusal('ACCOUNT_NOT_FOUND', 'There is no such account.');
    return known;
  }

  /** Checks a command without running it, before something is changed outside the log. @throws Refusal as the decider refuses it */
  requirePossible(state: KnownAccount | null, command: AccountCommand): void {
    account.decide(command, state);
  }

  /** Counts the other administrators who could take over. Call it within `runExclusively`, so that the number stays true. */
  async countOtherAdmins(accountId: string): Promise<number> {
    const others = this.accounts
      .listAccounts()
      .filter((known) => known.accountId !== accountId && isStandingAdmin(known));
    const now = await Promise.all(others.map((other) => this.accounts.readFromLog(other.accountId)));
    return now.filter(isStandingAdmin).length;
  }
}
