import type { DataSource } from 'typeorm';
import { systemActor, withContext } from '../../../platform/context/call-context.js';
import { CommandRunner } from '../../../platform/cqrs/command-runner.js';
import type { EventStore } from '../../../ports/event-store.port.js';
import { makeOneTimePassword, PasswordHashing } from '../../../platform/secrets/password-hashing.js';
import { PasswordStore } from '../commands/passwords/password-store.js';
import { account } from '../domain/account.decider.js';
import { SessionStore } from '../sessions/session-store.js';
import { ADMIN, adminAccount } from './admin-account.js';

/**
 * Makes the account `admin` one that can administer again, with a new password, from outside the server. Who runs this
 * holds the database anyway; it only leaves a trace that changing a table by hand would not. Hash first, event last, as
 * in every change of a password.
 */
export async function recoverAdmin(dataSource: DataSource, store: EventStore, serverId: string): Promise<string> {
  const runner = new CommandRunner(store, { serverId });
  const as = adminAccount();
  const password = makeOneTimePassword();
  await new PasswordStore(dataSource).set(as.accountId, ADMIN, await new PasswordHashing().hash(password));
  await new SessionStore(dataSource).closeAll(as.accountId);
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
