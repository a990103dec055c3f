import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FailedAttempts } from '../../../src/modules/accounts/commands/failed-attempts.js';
import { PasswordHashing } from '../../../src/modules/accounts/commands/password-hashing.js';
import { PasswordStore } from '../../../src/modules/accounts/commands/password-store.js';
import { SignIn } from '../../../src/modules/accounts/commands/sign-in.command.js';
import { SignInHandler } from '../../../src/modules/accounts/commands/sign-in.handler.js';
import { SessionStore } from '../../../src/modules/accounts/sessions/session-store.js';
import { AdminAccount } from '../../../src/modules/accounts/setup/admin-account.js';
import type { Settings } from '../../../src/platform/config/settings.js';
import { CommandRunner } from '../../../src/platform/cqrs/command-runner.js';
import { FactsLog } from '../../../src/platform/cqrs/facts-log.js';
import { eventsOf, ServerHome } from '../../support/trusted-server.js';

let home: ServerHome;
beforeEach(async () => {
  home = await ServerHome.create();
});
afterEach(() => home.remove());

/** Starts what accounts need; returns what is printed and the way to sign in. */
async function start(change: Partial<Settings> = {}) {
  const identity = await home.identity();
  const runner = new CommandRunner(home.store, identity);
  const passwords = new PasswordStore(home.dataSource);
  const hashing = new PasswordHashing();
  const sessions = new SessionStore(home.dataSource);
  const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  await new AdminAccount(home.settings(change), runner, passwords, hashing).onApplicationBootstrap();
  const output = printed.mock.calls.map(([text]) => String(text)).join('');
  printed.mockRestore();
  const log = new FactsLog(home.store, identity);
  const handler = new SignInHandler(passwords, hashing, new FailedAttempts(), runner, log, sessions);
  return { output, sessions, signIn: (name: string, password: string) => handler.execute(new SignIn(name, password)) };
}

describe('the admin account', () => {
  it('gets a generated password, printed at its creation only', async () => {
    const { output, signIn } = await start();
    const password = /^admin password: (\S{20})\n$/.exec(output)?.[1] ?? '';
    await signIn('admin', password);
    expect((await start({ adminPassword: 'another one' })).output).toBe('');
    await expect((await start()).signIn('admin', 'another one')).rejects.toMatchObject({ code: 'SIGN_IN_REFUSED' });
  });

  it('takes its first password from the environment and does not print it', async () => {
    const { output, signIn } = await start({ adminPassword: 'from outside' });
    expect(output).toBe('');
    expect((await signIn('admin', 'from outside')).receipt.types).toEqual(['SignedIn']);
  });

  it('gets a new password when the first start was cut off', async () => {
    await start({ adminPassword: 'lost in the crash' });
    await home.dataSource.query('DELETE FROM state.passwords');
    const { signIn } = await start({ adminPassword: 'the second one' });
    await signIn('admin', 'the second one');
  });
});

describe('signing in', () => {
  it('is on record, and so is each refusal', async () => {
    const { signIn } = await start({ adminPassword: 'right one' });
    await expect(signIn('admin', 'wrong one')).rejects.toMatchObject({ code: 'SIGN_IN_REFUSED' });
    await expect(signIn('nobody', 'right one')).rejects.toMatchObject({ code: 'SIGN_IN_REFUSED' });
    await signIn('admin', 'right one');
    const [created] = await eventsOf(home.store, 'account-refusals');
    expect(created?.data).toEqual({ username: 'admin', reason: 'The name or the password is wrong.', unrecorded: 0 });
    const all: { data: unknown; type: string }[] = await home.dataSource.query('SELECT type, data FROM log.events');
    expect(all.map(({ type }) => type)).toEqual([
      'ServerInitialised',
      'AccountCreated',
      'SignInRefused',
      'SignInRefused',
      'SignedIn',
    ]);
    expect(JSON.stringify(all)).not.toMatch(/right one|wrong one|argon2/);
  });

  it('pauses after five failures, also for the right password', async () => {
    const { signIn } = await start({ adminPassword: 'right one' });
    for (let i = 0; i < 5; i++) await signIn('admin', 'wrong one').catch(() => undefined);
    await expect(signIn('admin', 'right one')).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  });
});

describe('a session', () => {
  it('is known to every process until it is closed', async () => {
    const { signIn, sessions } = await start({ adminPassword: 'right one' });
    const { token, expiresAt } = await signIn('admin', 'right one');
    expect(expiresAt.getTime()).toBeGreaterThan(Date.now() + 11 * 3_600_000);
    const elsewhere = new SessionStore(home.dataSource);
    for (const store of [sessions, elsewhere]) {
      expect(await store.authenticate(token)).toMatchObject({ kind: 'account', name: 'admin' });
    }
    await sessions.close(token);
    expect(await sessions.authenticate(token)).toBeNull();
    expect(await new SessionStore(home.dataSource).authenticate(token)).toBeNull();
  });

  it('ends by itself', async () => {
    const { signIn } = await start({ adminPassword: 'right one' });
    const { token } = await signIn('admin', 'right one');
    await home.dataSource.query("UPDATE state.sessions SET expires_at = now() - interval '1 ms'");
    expect(await new SessionStore(home.dataSource).authenticate(token)).toBeNull();
  });

  it('is opened by nothing else', async () => {
    const { signIn, sessions } = await start({ adminPassword: 'right one' });
    const { token } = await signIn('admin', 'right one');
    const [row]: { token_hash: Buffer }[] = await home.dataSource.query('SELECT token_hash FROM state.sessions');
    const others = ['', 'x', row?.token_hash.toString('base64url') ?? '', `${token}A`, `A${token.slice(1)}`];
    for (const other of others.filter((text) => text !== token)) expect(await sessions.authenticate(other)).toBeNull();
  });
});
