import { Injectable } from '@nestjs/common';
import { Refusal } from '../../../kernel/errors.js';
import { CommandRunner, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { LiveViews } from '../../../platform/eventsourcing/live-views.js';
import { Locks } from '../../../ports/locks.port.js';
import { account, type AccountCommand } from './account.decider.js';
import { isStandingAdmin, type KnownAccount } from './account.state.js';
import { LiveAccounts } from './live-accounts.js';

/** Runs commands on accounts, so that the next call in this process knows of the change. */
@Injectable()
export class AccountChanges {
  constructor(
    private readonly runner: CommandRunner,
    private readonly views: LiveViews,
    private readonly locks: Locks,
    private readonly accounts: LiveAccounts,
  ) {}

  async runCommand(accountId: string, command: AccountCommand): Promise<Receipt> {
    const { receipt } = await this.runner.run(account, accountId, command);
    if (receipt.cursor !== null) await this.views.reflect(receipt);
    return receipt;
  }

  /** For what one account can't decide alone, or what also touches its password: one change at a time. */
  async runExclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = await this.locks.hold('accounts', new AbortController().signal, async () => ({
      result: await work(),
    }));
    if (!done) throw new Refusal('UNAVAILABLE', 'The server is stopping. Try again soon.');
    return done.result;
  }

  /** As the log has it now. @throws Refusal ACCOUNT_NOT_FOUND */
  async requireAccount(accountId: string): Promise<KnownAccount> {
    const known = await this.accounts.readFromLog(accountId);
    if (!known) throw new Refusal('ACCOUNT_NOT_FOUND', 'There is no such account.');
    return known;
  }

  /** Would this be refused? Asked before something is done that the log does not know of. @throws Refusal */
  requirePossible(state: KnownAccount | null, command: AccountCommand): void {
    account.decide(command, state);
  }

  /** How many others could take over. Within `alone`: nobody else takes the role away meanwhile. */
  async countOtherAdmins(accountId: string): Promise<number> {
    const others = this.accounts
      .listAccounts()
      .filter((known) => known.accountId !== accountId && isStandingAdmin(known));
    const now = await Promise.all(others.map((other) => this.accounts.readFromLog(other.accountId)));
    return now.filter(isStandingAdmin).length;
  }
}
