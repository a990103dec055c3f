import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { CommandRunner } from '../../../platform/eventsourcing/command-runner.js';
import { UnprocessableEvent } from '../../../platform/failures/failure-kind.js';
import { systemActor, withContext } from '../../../platform/runtime/call-context.js';
import { Settings } from '../../../platform/runtime/settings.js';
import { makeOneTimePassword, PasswordHashing } from '../../../platform/secrets/password-hashing.js';
import type { EventStore } from '../../../ports/event-store.port.js';
import type { NewAccount } from '../contracts/account.events.js';
import { PasswordStore } from '../sign-in/passwords.js';
import { SessionStore } from '../sign-in/session-store.js';
import { account } from './account.decider.js';
import { accountIdOf } from './username.js';

const ADMIN = 'admin';

/** Data of the account `admin`, which is created at the first start. */
const adminAccount = (): NewAccount => ({
  accountId: accountIdOf(ADMIN),
  username: ADMIN,
  displayName: null,
  source: 'local',
  roles: ['admin'],
  publishUpTo: null,
  mustChangePassword: false,
});

/**
 * Creates the account `admin` at the first start, with the password from the settings or a generated one, which is
 * printed. The event is appended last: after a crash before it, the next start sets and prints a new password.
 */
@Injectable()
export class AdminAccount implements OnApplicationBootstrap {
  private readonly logger = new Logger('Accounts');
  private isNewServer = false;

  constructor(
    private readonly settings: Settings,
    private readonly runner: CommandRunner,
    private readonly passwords: PasswordStore,
    private readonly hashing: PasswordHashing,
  ) {}

  /** True when this start has created the account, and therefore is the first one of this server. */
  get isNew(): boolean {
    return this.isNewServer;
  }

  async onApplicationBootstrap(): Promise<void> {
    const as = adminAccount();
    const created = await this.isCreated(as.accountId);
    if (created && (await this.passwords.findHash(as.accountId))) return;
    const password = this.settings.adminPassword ?? makeOneTimePassword();
    await this.passwords.saveHash(as.accountId, ADMIN, await this.hashing.hashPassword(password));
    if (this.settings.adminPassword === null) process.stdout.write(`admin password: ${password}\n`);
    if (created) return;
    await this.runner.run(account, as.accountId, { type: 'create', as });
    this.isNewServer = true;
  }

  /** An account whose history cannot be processed exists. It must not keep the server from starting. */
  private async isCreated(accountId: string): Promise<boolean> {
    try {
      return (await this.runner.load(account, accountId)) !== null;
    } catch (error) {
      if (!(error instanceof UnprocessableEvent)) throw error;
      this.logger.error(error.message);
      return true;
    }
  }
}

/**
 * Restores the account `admin` with the role admin and a new password, which is returned. Runs outside the server, for
 * somebody who has access to the database anyway; unlike a change by hand it is recorded in the log. The hash is saved
 * first and the event is appended last, as in every change of a password.
 */
export async function recoverAdmin(dataSource: DataSource, store: EventStore, serverId: string): Promise<string> {
  const runner = new CommandRunner(store, { serverId });
  const as = adminAccount();
  const password = makeOneTimePassword();
  await new PasswordStore(dataSource).saveHash(as.accountId, ADMIN, await new PasswordHashing().hashPassword(password));
  await new SessionStore(dataSource).closeSessionsOf(as.accountId);
  // Pauses after failed sign-ins must not delay the owner of the account.
  await dataSource.query('DELETE FROM state.sign_in_failures');
  await withContext({ actor: systemActor('accounts:reset-admin') }, async () => {
    const known = await runner.load(account, as.accountId);
    if (!known) await runner.run(account, as.accountId, { type: 'create', as });
    await runner.run(account, as.accountId, { type: 'enable' });
    const to = { roles: ['admin'], publishUpTo: null } as const;
    await runner.run(account, as.accountId, { type: 'changeRights', to, otherAdmins: 1, by: 'admin' });
    await runner.run(account, as.accountId, { type: 'changePassword', by: 'recovery', mustChangePassword: true });
  });
  return password;
}
