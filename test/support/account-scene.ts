import { vi } from 'vitest';
import { NoDirectory } from '../../src/adapters/directory/no-directory.js';
import { DirectoryAccounts } from '../../src/modules/accounts/directory/directory-accounts.js';
import {
  RefreshDirectoryHandler,
  RefreshRecord,
} from '../../src/modules/accounts/directory/refresh-directory.command.js';
import { DirectoryPasswords } from '../../src/modules/accounts/directory/directory-passwords.js';
import { AccountChanges } from '../../src/modules/accounts/accounts/account-changes.js';
import type { Directory } from '../../src/ports/directory.port.js';
import { MemoryLocks } from './memory-locks.js';
import { PasswordHashing } from '../../src/platform/secrets/password-hashing.js';
import { LocalPasswords, PasswordStore } from '../../src/modules/accounts/sign-in/passwords.js';
import { RefusedSignIns } from '../../src/modules/accounts/sign-in/refusals.js';
import { FailedAttempts } from '../../src/modules/accounts/sign-in/failed-attempts.js';
import { KnownAddresses } from '../../src/modules/accounts/sign-in/known-addresses.js';
import { SignIn, SignInHandler } from '../../src/modules/accounts/sign-in/sign-in.command.js';
import { TokenStore } from '../../src/modules/accounts/tokens/token-store.js';
import { AccountPrincipals } from '../../src/modules/accounts/sign-in/account-principals.js';
import { SessionStore } from '../../src/modules/accounts/sign-in/session-store.js';
import { AdminAccount } from '../../src/modules/accounts/accounts/admin-account.js';
import { LiveAccounts } from '../../src/modules/accounts/accounts/live-accounts.js';
import type { Settings } from '../../src/platform/runtime/settings.js';
import { STRANGER, withContext } from '../../src/platform/runtime/call-context.js';
import { CommandRunner, FactsLog } from '../../src/platform/eventsourcing/command-runner.js';
import type { ServerHome } from './trusted-server.js';

/** One process of a server, with its accounts; several share a home. */
export async function startAccounts(
  home: ServerHome,
  change: Partial<Settings> = {},
  directory: Directory = new NoDirectory(),
) {
  const identity = await home.identity();
  const runner = new CommandRunner(home.store, identity);
  const passwords = new PasswordStore(home.dataSource);
  const hashing = new PasswordHashing();
  const sessions = new SessionStore(home.dataSource);
  const views = home.liveViews();
  const accounts = new LiveAccounts(runner);
  await views.follow(accounts);
  const tokens = new TokenStore(home.dataSource);
  const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  await new AdminAccount(home.settings(change), runner, passwords, hashing).onApplicationBootstrap();
  const output = printed.mock.calls.map(([text]) => String(text)).join('');
  printed.mockRestore();
  const locks = new MemoryLocks();
  const changes = new AccountChanges(runner, views, locks, accounts);
  const people = new DirectoryAccounts(home.settings(change), changes, accounts, sessions);
  const refreshes = new RefreshRecord(home.dataSource);
  const refresh = new RefreshDirectoryHandler(directory, accounts, people, sessions, locks, refreshes);
  const handler = new SignInHandler(
    new LocalPasswords(passwords, hashing),
    new DirectoryPasswords(directory, accounts, people, refreshes),
    new FailedAttempts(home.dataSource),
    new KnownAddresses(home.dataSource),
    new RefusedSignIns(new FactsLog(home.store, identity)),
    runner,
    sessions,
  );
  const signIn = (name: string, password: string, address = '192.0.2.1') =>
    withContext({ actor: STRANGER, address }, () => handler.execute(new SignIn(name, password, 'a browser')));
  return {
    output,
    changes,
    refresh,
    runner,
    passwords,
    hashing,
    sessions,
    views,
    accounts,
    tokens,
    signIn,
    principals: new AccountPrincipals(accounts, sessions, tokens, directory),
  };
}

export type AccountScene = Awaited<ReturnType<typeof startAccounts>>;
