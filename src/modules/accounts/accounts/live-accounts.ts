import { EventEmitter } from 'node:events';
import type { RecordedEvent } from '../../../kernel/events.js';
import type { CommandRunner } from '../../../platform/eventsourcing/command-runner.js';
import type { LiveView } from '../../../platform/eventsourcing/live-views.js';
import { accountEvents, type AccountEvent } from '../contracts/account.events.js';
import { account } from './account.decider.js';
import type { AccountState, KnownAccount } from './account.state.js';

/** All accounts with their roles and tokens, folded from the log and kept in memory, because every call needs them. */
export class LiveAccounts implements LiveView {
  readonly name = 'accounts';
  readonly eventTypes: readonly AccountEvent['type'][] = [
    'AccountCreated',
    'RoleChanged',
    'AccountRenamed',
    'AccountDisabled',
    'AccountEnabled',
    'DirectoryLinked',
    'PasswordChanged',
    'SessionClosed',
    'ApiTokenIssued',
    'ApiTokenRevoked',
  ];
  private readonly accounts = new Map<string, KnownAccount>();
  private readonly emitter = new EventEmitter().setMaxListeners(0);

  constructor(private readonly runner: CommandRunner) {}

  /** Finds an account in memory, else in the log, because another process may have created it a moment ago. */
  async findAccount(accountId: string): Promise<AccountState> {
    return this.accounts.get(accountId) ?? this.readFromLog(accountId);
  }

  /** Reads the present state of an account from the log. */
  readFromLog(accountId: string): Promise<AccountState> {
    return this.runner.load(account, accountId);
  }

  /** All accounts as this process knows them. */
  listAccounts(): readonly KnownAccount[] {
    return [...this.accounts.values()];
  }

  /** Calls back with the id of each account that changes. Returns a function that ends this. */
  onChange(listener: (accountId: string) => void): () => void {
    this.emitter.on('change', listener);
    return () => this.emitter.off('change', listener);
  }

  fold(record: RecordedEvent): void {
    const event = accountEvents.read(record);
    if (!event || !('accountId' in event.data)) return;
    const { accountId } = event.data;
    const known = account.evolve(this.accounts.get(accountId) ?? null, event);
    if (known) this.accounts.set(accountId, known);
    this.emitter.emit('change', accountId);
  }
}
