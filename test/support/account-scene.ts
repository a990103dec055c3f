import { vi } from 'vitest';
import { NoDirectory } from '../../src/adapters/directory/none/no-directory.js';
import { DirectoryAccounts } from '../../src/modules/accounts/commands/directory/directory-accounts.js';
import { RefreshDirectoryHandler } from '../../src/modules/accounts/commands/directory/refresh-directory.handlers.js';
import { RefreshRecord } from '../../src/modules/accounts/commands/directory/refresh-record.js';
import { DirectoryPasswords } from '../../src/modules/accounts/commands/sign-in/directory-passwords.js';
import { AccountChanges } from '../../src/modules/accounts/commands/standing/account-changes.js';
import type { Directory } from '../../src/ports/directory.port.js';
import { MemoryLocks } from './memory-locks.js';
import { PasswordHashing } from '../../src/platform/secrets/password-hashing.js';
import { PasswordStore } from '../../src/modules/accounts/commands/passwords/password-store.js';
import { RefusedSignIns } from '../../src/modules/accounts/commands/refused/refused-sign-ins.js';
import { FailedAttempts } from '../../src/modules/accounts/commands/sign-in/failed-attempts.js';
import { KnownAddresses } from '../../src/modules/accounts/commands/sign-in/known-addresses.js';
import { LocalPasswords } from '../../src/modules/accounts/commands/sign-in/local-passwords.js';
import { SignIn } from '../../src/modules/accounts/commands/sign-in/sign-in.command.js';
import { SignInHandler } from '../../src/modules/accounts/commands/sign-in/sign-in.handler.js';
import { TokenStore } from '../../src/modules/accounts/commands/tokens/token-store.js';
import { AccountPrincipals } from '../../src/modules/accounts/sessions/account-principals.js';
import { SessionStore } from '../../src/modules/accounts/sessions/session-store.js';
import { AdminAccount } from '../../src/modules/accounts/setup/admin-account.js';
import { LiveAccounts } from '../../src/modules/accounts/commands/standing/live-accounts.js';
import type { Settings } from '../../src/platform/config/settings.js';
import { STRANGER, withContext } from '../../src/platform/context/call-context.js';
import { CommandRunner } from '../../src/platform/cqrs/command-runner.js';
import { FactsLog } from '../../src/platform/cqrs/facts-log.js';
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
  const refresh = new RefreshDirectoryHandler(
    directory,
    accounts,
    people,
    sessions,
    locks,
    new RefreshRecord(home.dataSource),
  );
  const handler = new SignInHandler(
    new LocalPasswords(passwords, hashing),
    new DirectoryPasswords(directory, accounts, people),
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
