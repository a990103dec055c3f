import { Global, Module } from '@nestjs/common';
import { CommandRunner } from '../../platform/cqrs/command-runner.js';
import { LiveViews } from '../../platform/live-view/live-views.js';
import { Principals } from '../../ports/principals.port.js';
import { RefusedCalls } from '../../ports/refused-calls.port.js';
import { Sessions } from '../../ports/sessions.port.js';
import { SignInResolver } from './api/sign-in.resolver.js';
import { PasswordHashing } from './commands/passwords/password-hashing.js';
import { PasswordStore } from './commands/passwords/password-store.js';
import { RefusedSignIns } from './commands/refused-sign-ins.js';
import { SignOutHandler } from './commands/sessions/sign-out.handler.js';
import { FailedAttempts } from './commands/sign-in/failed-attempts.js';
import { KnownAddresses } from './commands/sign-in/known-addresses.js';
import { LocalPasswords } from './commands/sign-in/local-passwords.js';
import { SignInHandler } from './commands/sign-in/sign-in.handler.js';
import { TokenStore } from './commands/tokens/token-store.js';
import { AccountPrincipals } from './sessions/account-principals.js';
import { SessionStore } from './sessions/session-store.js';
import { AdminAccount } from './setup/admin-account.js';
import { LiveAccounts } from './standing/live-accounts.js';
import { RecordedRefusedCalls } from './standing/recorded-refused-calls.js';

const liveAccounts = {
  provide: LiveAccounts,
  inject: [LiveViews, CommandRunner],
  async useFactory(views: LiveViews, runner: CommandRunner) {
    const accounts = new LiveAccounts(runner);
    await views.follow(accounts);
    return accounts;
  },
};

/** What decides who signs in, without what shows it. */
export const accountProviders = [
  liveAccounts,
  SessionStore,
  { provide: Sessions, useExisting: SessionStore },
  { provide: Principals, useClass: AccountPrincipals },
  { provide: RefusedCalls, useClass: RecordedRefusedCalls },
  PasswordStore,
  PasswordHashing,
  LocalPasswords,
  FailedAttempts,
  KnownAddresses,
  RefusedSignIns,
  TokenStore,
  AdminAccount,
  SignInHandler,
  SignOutHandler,
];

/** People: who may sign in, and who is signed in. */
@Global()
@Module({
  providers: [...accountProviders, SignInResolver],
  exports: [Sessions, Principals, RefusedCalls],
})
export class AccountsModule {}
