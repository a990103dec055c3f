import { randomBytes } from 'node:crypto';
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { v5 } from 'uuid';
import { Settings } from '../../../platform/config/settings.js';
import { CommandRunner } from '../../../platform/cqrs/command-runner.js';
import { PasswordHashing } from '../commands/password-hashing.js';
import { PasswordStore } from '../commands/password-store.js';
import { account } from '../domain/account.decider.js';

const USERNAME = 'admin';
/** Namespace of the ids of local accounts: one name, one stream. Never changes. */
const ACCOUNT_NAMESPACE = '0f0cf1c5-4c2b-4f9c-9a51-6a9f3b7f2d10';

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
    const accountId = v5(USERNAME, ACCOUNT_NAMESPACE);
    const created = await this.runner.load(account, accountId);
    if (created && (await this.passwords.find(USERNAME))) return;
    const password = this.settings.adminPassword ?? randomBytes(15).toString('base64url');
    await this.passwords.set(USERNAME, { accountId, hash: await this.hashing.hash(password) });
    if (this.settings.adminPassword === null) process.stdout.write(`admin password: ${password}\n`);
    await this.runner.run(account, accountId, { type: 'create', accountId, username: USERNAME });
  }
}
