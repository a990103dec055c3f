import { Global, Module } from '@nestjs/common';
import { CommandRunner } from '../../platform/cqrs/command-runner.js';
import { LiveViews } from '../../platform/live-view/live-views.js';
import { Principals } from '../../ports/principals.port.js';
import { RefusedCalls } from '../../ports/refused-calls.port.js';
import { Sessions } from '../../ports/sessions.port.js';
import { AccountsReadModule } from './accounts-read.module.js';
import { AccountChangesResolver } from './api/account-changes.resolver.js';
import { AccountsResolver } from './api/accounts.resolver.js';
import { ApiTokensResolver } from './api/api-tokens.resolver.js';
import { DirectoryResolver } from './api/directory/directory.resolver.js';
import { MeResolver } from './api/me.resolver.js';
import { OwnSessionsResolver } from './api/own-sessions.resolver.js';
import { SignInResolver } from './api/sign-in.resolver.js';
import { CreateAccountHandler } from './commands/accounts/create-account.handler.js';
import {
  DisableAccountHandler,
  EnableAccountHandler,
  UpdateAccountHandler,
} from './commands/accounts/update-account.handlers.js';
import { DirectoryAccounts } from './commands/directory/directory-accounts.js';
import { RefreshDirectoryHandler, RelinkAccountHandler } from './commands/directory/refresh-directory.handlers.js';
import { RefreshRecord } from './commands/directory/refresh-record.js';
import { ChangePasswordHandler } from './commands/passwords/change-password.handler.js';
import { PasswordStore } from './commands/passwords/password-store.js';
import { RefusedSignIns } from './commands/refused/refused-sign-ins.js';
import {
  RevokeOtherSessionsHandler,
  RevokeSessionHandler,
  SignOutHandler,
} from './commands/sessions/close-sessions.handlers.js';
import { DirectoryPasswords } from './commands/sign-in/directory-passwords.js';
import { FailedAttempts } from './commands/sign-in/failed-attempts.js';
import { KnownAddresses } from './commands/sign-in/known-addresses.js';
import { LocalPasswords } from './commands/sign-in/local-passwords.js';
import { SignInHandler } from './commands/sign-in/sign-in.handler.js';
import { TokenStore } from './commands/tokens/token-store.js';
import { DirectoryRefresher } from './jobs/directory-refresher.js';
import { AccountPrincipals } from './sessions/account-principals.js';
import { SessionStore } from './sessions/session-store.js';
import { AdminAccount } from './setup/admin-account.js';
import { LiveAccounts } from './commands/standing/live-accounts.js';
import { AccountChanges } from './commands/standing/account-changes.js';
import { IssueApiTokenHandler, RevokeApiTokenHandler } from './commands/tokens/api-token.handlers.js';
import { ResetPasswordHandler } from './commands/passwords/reset-password.handler.js';
import { RecordedRefusedCalls } from './commands/refused/recorded-refused-calls.js';

const liveAccounts = {
  provide: LiveAccounts,
  inject: [LiveViews, CommandRunner],
  async useFactory(views: LiveViews, runner: CommandRunner) {
    const accounts = new LiveAccounts(runner);
    await views.follow(accounts);
    return accounts;
  },
};

const handlers = [
  SignInHandler,
  SignOutHandler,
  RevokeSessionHandler,
  RevokeOtherSessionsHandler,
  ChangePasswordHandler,
  ResetPasswordHandler,
  CreateAccountHandler,
  UpdateAccountHandler,
  DisableAccountHandler,
  EnableAccountHandler,
  IssueApiTokenHandler,
  RevokeApiTokenHandler,
  RefreshDirectoryHandler,
  RelinkAccountHandler,
];

const resolvers = [
  SignInResolver,
  MeResolver,
  OwnSessionsResolver,
  ApiTokensResolver,
  AccountsResolver,
  AccountChangesResolver,
  DirectoryResolver,
];

/** What decides who signs in, without what shows it. */
export const accountProviders = [
  liveAccounts,
  SessionStore,
  { provide: Sessions, useExisting: SessionStore },
  { provide: Principals, useClass: AccountPrincipals },
  { provide: RefusedCalls, useClass: RecordedRefusedCalls },
  PasswordStore,
  LocalPasswords,
  FailedAttempts,
  KnownAddresses,
  RefusedSignIns,
  TokenStore,
  AdminAccount,
  AccountChanges,
  DirectoryAccounts,
  DirectoryPasswords,
  RefreshRecord,
  DirectoryRefresher,
  ...handlers,
];

/** People: who may sign in, and who is signed in. */
@Global()
@Module({
  imports: [AccountsReadModule],
  providers: [...accountProviders, ...resolvers],
  exports: [Sessions, Principals, RefusedCalls],
})
export class AccountsModule {}
