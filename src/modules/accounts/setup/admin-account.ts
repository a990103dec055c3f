import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Settings } from '../../../platform/config/settings.js';
import { CommandRunner } from '../../../platform/cqrs/command-runner.js';
import { accountIdOf } from '../commands/account-id.js';
import { makeOneTimePassword, PasswordHashing } from '../../../platform/secrets/password-hashing.js';
import { PasswordStore } from '../commands/passwords/password-store.js';
import type { NewAccount } from '../contracts/account.events.js';
import { account } from '../domain/account.decider.js';

export const ADMIN = 'admin';

/** The account of the first start. Its password was chosen by who runs the server, or has 120 random bits. */
export const adminAccount = (): NewAccount => ({
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
    if (created && (await this.passwords.find(as.accountId))) return;
    const password = this.settings.adminPassword ?? makeOneTimePassword();
    await this.passwords.set(as.accountId, ADMIN, await this.hashing.hash(password));
    if (this.settings.adminPassword === null) process.stdout.write(`admin password: ${password}\n`);
    if (!created) await this.runner.run(account, as.accountId, { type: 'create', as });
  }
}
