import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Principals, RefusedCalls } from '../../platform/access/access.port.js';
import { CommandRunner } from '../../platform/eventsourcing/command-runner.js';
import { provideLiveView } from '../../platform/eventsourcing/live-views.js';
import { AccountChanges } from './accounts/account-changes.js';
import { AccountEntity } from './accounts/account.entity.js';
import { AccountsProjection } from './accounts/accounts.projection.js';
import { AccountHandler, AccountsHandler, ApiTokensHandler, SessionsHandler } from './accounts/accounts.query.js';
import { AdminAccount } from './accounts/admin-account.js';
import {
  DisableAccountHandler,
  EnableAccountHandler,
  UpdateAccountHandler,
} from './accounts/change-account.command.js';
import { CreateAccountHandler } from './accounts/create-account.command.js';
import { LiveAccounts } from './accounts/live-accounts.js';
import { AccountChangesResolver } from './api/account-changes.resolver.js';
import { AccountsResolver } from './api/accounts.resolver.js';
import { ApiTokensResolver } from './api/api-tokens.resolver.js';
import { DirectoryResolver } from './api/directory.resolver.js';
import { MeResolver, OwnSessionsResolver } from './api/me.resolver.js';
import { SignInResolver } from './api/sign-in.resolver.js';
import { DirectoryAccounts } from './directory/directory-accounts.js';
import { DirectoryPasswords } from './directory/directory-passwords.js';
import { DirectoryRefresher } from './directory/directory-refresher.js';
import { DirectoryHandler, DirectoryTestHandler } from './directory/directory.query.js';
import { RefreshDirectoryHandler, RefreshRecord, RelinkAccountHandler } from './directory/refresh-directory.command.js';
import { AccountPrincipals } from './sign-in/account-principals.js';
import { ChangePasswordHandler, ResetPasswordHandler } from './sign-in/change-password.command.js';
import { RevokeOtherSessionsHandler, RevokeSessionHandler, SignOutHandler } from './sign-in/close-sessions.command.js';
import { FailedAttempts } from './sign-in/failed-attempts.js';
import { KnownAddresses } from './sign-in/known-addresses.js';
import { LocalPasswords, PasswordStore } from './sign-in/passwords.js';
import { RecordedRefusedCalls, RefusedSignIns } from './sign-in/refusals.js';
import { SessionStore } from './sign-in/session-store.js';
import { SignInHandler } from './sign-in/sign-in.command.js';
import { IssueApiTokenHandler, RevokeApiTokenHandler } from './tokens/api-token.command.js';
import { ApiTokenEntity } from './tokens/api-token.entity.js';
import { TokenStore } from './tokens/token-store.js';
import './accounts.declarations.js';

const accountEntities = [AccountEntity, ApiTokenEntity];

/** The read model of accounts, and the queries on it and on sessions and the directory. */
const readModel = [
  AccountsProjection,
  AccountsHandler,
  AccountHandler,
  SessionsHandler,
  ApiTokensHandler,
  DirectoryHandler,
  DirectoryTestHandler,
];

const liveAccounts = provideLiveView(LiveAccounts, [CommandRunner], (runner) => new LiveAccounts(runner));

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

/** Providers that decide who may sign in and what they may do, without the API. */
export const accountProviders = [
  liveAccounts,
  SessionStore,
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

/** Accounts, sessions, API tokens, and the people of a directory. */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature(accountEntities)],
  providers: [...accountProviders, ...readModel, ...resolvers],
  exports: [Principals, RefusedCalls],
})
export class AccountsModule {}
