import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { Refusal } from '../../../../kernel/refusal.js';
import { lastReceipt, type Receipt } from '../../../../platform/cqrs/command-runner.js';
import { Directory, DirectoryUnavailable } from '../../../../ports/directory.port.js';
import { EventStore } from '../../../../ports/event-store.port.js';
import { Locks } from '../../../../ports/locks.port.js';
import { Sessions } from '../../../../ports/sessions.port.js';
import type { KnownAccount } from '../../domain/account.state.js';
import { AccountChanges } from '../standing/account-changes.js';
import { LiveAccounts } from '../standing/live-accounts.js';
import { DirectoryAccounts } from './directory-accounts.js';
import { RefreshDirectory, RelinkAccount, type DirectoryRefreshed } from './refresh-directory.command.js';
import { RefreshRecord } from './refresh-record.js';

@CommandHandler(RefreshDirectory)
export class RefreshDirectoryHandler implements ICommandHandler<RefreshDirectory> {
  constructor(
    private readonly directory: Directory,
    private readonly accounts: LiveAccounts,
    private readonly people: DirectoryAccounts,
    private readonly sessions: Sessions,
    private readonly locks: Locks,
    private readonly record: RefreshRecord,
  ) {}

  async execute(): Promise<DirectoryRefreshed> {
    if (this.directory.url === null) throw new Refusal('NO_DIRECTORY', 'There is no directory. Set LDAP_URL.');
    const done = await this.locks.hold('directory-refresh', new AbortController().signal, () =>
      this.refreshAndRecord(),
    );
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

  /** Nothing is done before the directory has answered about everybody. */
  private async refreshAccounts(): Promise<DirectoryRefreshed> {
    const inUse = await this.listAccountsInUse();
    const found = await this.directory.findAll(inUse.flatMap(({ externalId }) => externalId ?? []));
    const people = new Map(found.map((person) => [person.id, person]));
    let changed = 0;
    for (const { accountId, externalId } of inUse) {
      if (await this.people.refreshAccount(accountId, people.get(externalId ?? '') ?? null)) changed += 1;
    }
    return { accounts: inUse.length, changed };
  }

  /** What an administrator has disabled stays so. An account without a link is of nobody yet. */
  private async listAccountsInUse(): Promise<KnownAccount[]> {
    const signedIn = new Set(await this.sessions.accountsWithOpen());
    const now = Date.now();
    const hasToken = ({ tokens }: KnownAccount): boolean =>
      Object.values(tokens).some(({ expiresAt }) => Date.parse(expiresAt) > now);
    return this.accounts
      .all()
      .filter(
        (known) =>
          known.source === 'directory' &&
          known.externalId !== null &&
          (!known.disabled || known.disabledByDirectory) &&
          (signedIn.has(known.accountId) || hasToken(known)),
      );
  }
}

/** What opens something goes first: a crash leaves an account that is still of its former person, who can sign in again. */
@CommandHandler(RelinkAccount)
export class RelinkAccountHandler implements ICommandHandler<RelinkAccount> {
  constructor(
    private readonly changes: AccountChanges,
    private readonly sessions: Sessions,
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
      await this.sessions.closeAll(accountId);
      receipts.push(await this.changes.runCommand(accountId, unlink));
      return lastReceipt(this.store, receipts);
    });
  }
}
