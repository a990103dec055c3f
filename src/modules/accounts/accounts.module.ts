import { Global, Module } from '@nestjs/common';
import { Sessions } from '../../ports/sessions.port.js';
import { SignInResolver } from './api/sign-in.resolver.js';
import { FailedAttempts } from './commands/failed-attempts.js';
import { PasswordHashing } from './commands/password-hashing.js';
import { PasswordStore } from './commands/password-store.js';
import { SignInHandler } from './commands/sign-in.handler.js';
import { SignOutHandler } from './commands/sign-out.handler.js';
import { SessionStore } from './sessions/session-store.js';
import { AdminAccount } from './setup/admin-account.js';

/** What decides who signs in, without what shows it. */
export const accountProviders = [
  { provide: Sessions, useClass: SessionStore },
  PasswordStore,
  PasswordHashing,
  FailedAttempts,
  AdminAccount,
  SignInHandler,
  SignOutHandler,
];

/** People: who may sign in, and who is signed in. */
@Global()
@Module({
  providers: [...accountProviders, SignInResolver],
  exports: [Sessions],
})
export class AccountsModule {}
