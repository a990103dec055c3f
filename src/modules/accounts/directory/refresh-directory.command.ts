import { Injectable, Logger } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { Refusal } from '../../../kernel/errors.js';
import { lastReceipt, type Receipt } from '../../../platform/eventsourcing/command-runner.js';
import { UnprocessableEvent } from '../../../platform/failures/failure-kind.js';
import { Directory, type DirectoryPerson, DirectoryUnavailable } from '../../../ports/directory.port.js';
import { EventStore } from '../../../ports/event-store.port.js';
import { Locks } from '../../../ports/locks.port.js';
import { AccountChanges } from '../accounts/account-changes.js';
import type { KnownAccount } from '../accounts/account.state.js';
import { LiveAccounts } from '../accounts/live-accounts.js';
import { SessionStore } from '../sign-in/session-store.js';
import { DirectoryAccounts } from './directory-accounts.js';

interface DirectoryRefreshed {
  /** Number of accounts that were looked up: those with open sessions or valid API tokens. */
  readonly accounts: number;
  readonly changed: number;
}

/**
 * Looks up the accounts in use in the directory and applies what it says. It waits for a refresh that is running. While
 * the directory is down nothing changes. Refusals: DIRECTORY_UNAVAILABLE, NO_DIRECTORY, UNAVAILABLE.
 */
export class RefreshDirectory extends Command<DirectoryRefreshed> {}

/**
 * Releases an account for the next person with this name in the directory, revokes its tokens and closes its sessions.
 * Refusals: ACCOUNT_NOT_FOUND, INVALID_REQUEST.
 */
export class RelinkAccount extends Command<Receipt> {
  constructor(readonly accountId: string) {
    super();
  }
}

const SAVE_RESULT = `INSERT INTO state.directory_refresh (succeeded_at, failed_at, error, accounts, changed) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (id) DO UPDATE SET succeeded_at = coalesce(excluded.succeeded_at, directory_refresh.succeeded_at),
    failed_at = excluded.failed_at, error = excluded.error,
    accounts = coalesce(excluded.accounts, directory_refresh.accounts), changed = coalesce(excluded.changed, directory_refresh.changed)`;

/** Stores the result of the last refresh in the table `state.directory_refresh`, for all processes. */
@Injectable()
export class RefreshRecord {
  constructor(private readonly dataSource: DataSource) {}

  async saveSuccess({ accounts, changed }: DirectoryRefreshed): Promise<void> {
    await this.dataSource.query(SAVE_RESULT, [new Date(), null, null, accounts, changed]);
  }

  /** The time of the last refresh that succeeded, in milliseconds since 1970; 0 when there was none. */
  async lastSuccess(): Promise<number> {
    const [row]: { succeededAt: Date | null }[] = await this.dataSource.query(
      'SELECT succeeded_at AS "succeededAt" FROM state.directory_refresh',
    );
    return row?.succeededAt?.getTime() ?? 0;
  }

  async saveFailure(error: string): Promise<void> {
    await this.dataSource.query(SAVE_RESULT, [null, new Date(), error, null, null]);
  }
}

@CommandHandler(RefreshDirectory)
export class RefreshDirectoryHandler implements ICommandHandler<RefreshDirectory> {
  private readonly logger = new Logger('Directory');

  constructor(
    private readonly directory: Directory,
    private readonly accounts: LiveAccounts,
    private readonly people: DirectoryAccounts,
    private readonly sessions: SessionStore,
    private readonly locks: Locks,
    private readonly record: RefreshRecord,
  ) {}

  async execute(): Promise<DirectoryRefreshed> {
    if (this.directory.url === null) throw new Refusal('NO_DIRECTORY', 'No directory is configured. Set LDAP_URL.');
    const done = await this.locks.hold('directory-refresh', () => this.refreshAndRecord());
    if (!done) throw new Refusal('UNAVAILABLE', 'The server is stopping. Try again soon.');
    return done;
  }

  private async refreshAndRecord(): Promise<DirectoryRefreshed> {
    try {
      const refreshed = await this.refreshAccounts();
      await this.record.saveSuccess(refreshed);
      return refreshed;
    } catch (error) {
      if (!(error instanceof DirectoryUnavailable)) throw error;
      await this.record.saveFailure(error.message);
      throw new Refusal('DIRECTORY_UNAVAILABLE', error.message);
    }
  }

  /** Changes nothing before the directory has answered about all accounts. */
  private async refreshAccounts(): Promise<DirectoryRefreshed> {
    const inUse = await this.listAccountsInUse();
    const found = await this.directory.findPeople(inUse.flatMap(({ externalId }) => externalId ?? []));
    const people = new Map(found.map((person) => [person.id, person]));
    let changed = 0;
    for (const { accountId, externalId } of inUse) {
      if (await this.refreshAccount(accountId, people.get(externalId ?? '') ?? null)) changed += 1;
    }
    return { accounts: inUse.length, changed };
  }

  /** An account whose history cannot be processed stays as it is, and does not hold up the others. */
  private async refreshAccount(accountId: string, person: DirectoryPerson | null): Promise<boolean> {
    try {
      return await this.people.refreshAccount(accountId, person);
    } catch (error) {
      if (!(error instanceof UnprocessableEvent)) throw error;
      this.logger.warn(error.message);
      return false;
    }
  }

  /** Accounts that an administrator has disabled are left out, and so are accounts without a link, which belong to nobody yet. */
  private async listAccountsInUse(): Promise<KnownAccount[]> {
    const signedIn = new Set(await this.sessions.listAccountsWithSessions());
    const now = Date.now();
    const hasToken = ({ tokens }: KnownAccount): boolean =>
      Object.values(tokens).some(({ expiresAt }) => Date.parse(expiresAt) > now);
    return this.accounts
      .listAccounts()
      .filter(
        (known) =>
          known.source === 'directory' &&
          known.externalId !== null &&
          (!known.disabled || known.disabledByDirectory) &&
          (signedIn.has(known.accountId) || hasToken(known)),
      );
  }
}

/** Revokes tokens and sessions before the link. After a crash in between, the account still belongs to the former person, who can sign in again. */
@CommandHandler(RelinkAccount)
export class RelinkAccountHandler implements ICommandHandler<RelinkAccount> {
  constructor(
    private readonly changes: AccountChanges,
    private readonly sessions: SessionStore,
    private readonly store: EventStore,
  ) {}

  execute({ accountId }: RelinkAccount): Promise<Receipt> {
    return this.changes.runExclusively(async () => {
      const known = await this.changes.requireAccount(accountId);
      const unlink = { type: 'link', externalId: null } as const;
      this.changes.requirePossible(known, unlink);
      const receipts: Receipt[] = [];
      for (const tokenId of Object.keys(known.tokens))
        receipts.push(await this.changes.runCommand(accountId, { type: 'revokeToken', tokenId }));
      await this.sessions.closeSessionsOf(accountId);
      receipts.push(await this.changes.runCommand(accountId, unlink));
      return lastReceipt(this.store, receipts);
    });
  }
}
