import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { CommandRunner } from '../../../platform/eventsourcing/command-runner.js';
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

/** The account of the first start. Its password was chosen by who runs the server, or has 120 random bits. */
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
 * Makes the `admin` account at the first start. The event comes last: after a crash before it, the next start gives
 * and prints a new password.
 */
@Injectable()
export class AdminAccount implements OnApplicationBootstrap {
  constructor(
    private readonly settings: Settings,
    private readonly runner: CommandRunner,
    private readonly passwords: PasswordStore,
    private readonly hashing: PasswordHashing,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const as = adminAccount();
    const created = await this.runner.load(account, as.accountId);
    if (created && (await this.passwords.findHash(as.accountId))) return;
    const password = this.settings.adminPassword ?? makeOneTimePassword();
    await this.passwords.saveHash(as.accountId, ADMIN, await this.hashing.hash(password));
    if (this.settings.adminPassword === null) process.stdout.write(`admin password: ${password}\n`);
    if (!created) await this.runner.run(account, as.accountId, { type: 'create', as });
  }
}

/**
 * Makes the account `admin` one that can administer again, with a new password, from outside the server. Who runs this
 * holds the database anyway; it only leaves a trace that changing a table by hand would not. Hash first, event last, as
 * in every change of a password.
 */
export async function recoverAdmin(dataSource: DataSource, store: EventStore, serverId: string): Promise<string> {
  const runner = new CommandRunner(store, { serverId });
  const as = adminAccount();
  const password = makeOneTimePassword();
  await new PasswordStore(dataSource).saveHash(as.accountId, ADMIN, await new PasswordHashing().hash(password));
  await new SessionStore(dataSource).closeSessionsOf(as.accountId);
  // Whoever guessed at the account must not keep its owner waiting.
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
