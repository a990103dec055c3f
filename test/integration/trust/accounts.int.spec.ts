import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { attemptKeys } from '../../../src/modules/accounts/sign-in/failed-attempts.js';
import { accountIdOf } from '../../../src/modules/accounts/accounts/username.js';
import { account } from '../../../src/modules/accounts/accounts/account.decider.js';
import { startAccounts, type AccountScene } from '../../support/account-scene.js';
import { eventsOf, ServerHome } from '../../support/trusted-server.js';

const RIGHT = 'right one';
let home: ServerHome;
let started: AccountScene[];

beforeEach(async () => {
  home = await ServerHome.create();
  started = [];
});

afterEach(async () => {
  await Promise.all(started.map(({ views }) => views.onApplicationShutdown()));
  await home.remove();
});

async function start(change: Parameters<typeof startAccounts>[1] = { adminPassword: RIGHT }): Promise<AccountScene> {
  const scene = await startAccounts(home, change);
  started.push(scene);
  return scene;
}

const refused = { code: 'SIGN_IN_REFUSED', message: 'The name or the password is wrong.' };
const paused = { code: 'TOO_MANY_REQUESTS' };

/** Pauses that are there now do not end while a slow machine is at the next line. */
const holdPauses = () =>
  home.dataSource.query(
    "UPDATE state.sign_in_failures SET blocked_until = blocked_until + interval '1 hour' WHERE blocked_until > 'epoch'",
  );

describe('the admin account', () => {
  it('gets a generated password, printed at its creation only', async () => {
    const { output, signIn } = await start({});
    const password = /^admin password: (\S{20})\n$/.exec(output)?.[1] ?? '';
    await signIn('admin', password);
    expect((await start({ adminPassword: 'another one' })).output).toBe('');
    await expect((await start({})).signIn('admin', 'another one')).rejects.toMatchObject(refused);
  });

  it('takes its first password from the environment and does not print it', async () => {
    const { output, signIn } = await start();
    expect(output).toBe('');
    expect((await signIn('admin', RIGHT)).receipt.types).toEqual(['SignedIn']);
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
    const { signIn } = await start();
    await expect(signIn('admin', 'wrong one')).rejects.toMatchObject(refused);
    await expect(signIn('nobody', RIGHT)).rejects.toMatchObject(refused);
    await signIn('admin', RIGHT);
    const [first] = await eventsOf(home.store, 'account-refusals');
    expect(first?.data).toEqual({ username: 'admin', reason: 'The name or the password is wrong.', unrecorded: 0 });
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

  it('takes the name in any letter case', async () => {
    const { signIn } = await start();
    await signIn('ADMIN', RIGHT);
  });

  it('answers and works alike for unknown, disabled and locked names', async () => {
    const { signIn, hashing, runner } = await start();
    const id = accountIdOf('admin');
    await runner.run(account, id, { type: 'disable', otherAdmins: 1 });
    const hashed = vi.spyOn(hashing, 'matchesHash');
    await expect(signIn('admin', RIGHT)).rejects.toMatchObject(refused);
    await expect(signIn('nobody', RIGHT)).rejects.toMatchObject(refused);
    expect(hashed).toHaveBeenCalledTimes(2);
    for (const name of ['admin', 'nobody']) {
      for (let i = 0; i < 20; i++) await signIn(name, 'wrong', `198.51.100.${i}`).catch(() => undefined);
      await holdPauses();
      hashed.mockClear();
      await expect(signIn(name, RIGHT, '203.0.113.9')).rejects.toMatchObject(paused);
      expect(hashed).toHaveBeenCalledTimes(1);
    }
  });
});

describe('guessing', () => {
  const fail = async ({ signIn }: AccountScene, times: number, address: (i: number) => string, name = 'admin') => {
    for (let i = 0; i < times; i++) await signIn(name, 'wrong one', address(i)).catch(() => undefined);
  };

  it('pauses after five failures of one name at one address, also for the right password', async () => {
    const scene = await start();
    await fail(scene, 5, () => '192.0.2.1');
    await holdPauses();
    await expect(scene.signIn('admin', RIGHT)).rejects.toMatchObject(paused);
    await scene.signIn('admin', RIGHT, '192.0.2.2');
  });

  it('gains nothing by another process, by a restart, or side by side', async () => {
    const scene = await start();
    await Promise.allSettled(Array.from({ length: 30 }, () => scene.signIn('admin', 'wrong one')));
    await holdPauses();
    await expect((await start({})).signIn('admin', RIGHT)).rejects.toMatchObject(paused);
    const refusals = await eventsOf(home.store, 'account-refusals');
    expect(refusals.filter(({ data }) => JSON.stringify(data).includes('is wrong')).length).toBeLessThan(10);
  });

  it('makes longer and longer pauses, up to a minute, and is forgotten', async () => {
    const scene = await start();
    await fail(scene, 4, () => '192.0.2.1');
    const pauses: number[] = [];
    for (let i = 0; i < 8; i++) {
      // Well before now: a clock may be set back by some milliseconds.
      await home.dataSource.query("UPDATE state.sign_in_failures SET blocked_until = now() - interval '10 seconds'");
      await scene.signIn('admin', 'wrong one').catch(() => undefined);
      const [row]: { pause: number }[] = await home.dataSource.query(
        'SELECT max(extract(epoch FROM blocked_until - last_at))::float AS pause FROM state.sign_in_failures',
      );
      pauses.push(row?.pause ?? 0);
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    await home.dataSource.query(
      "UPDATE state.sign_in_failures SET blocked_until = now() - interval '10 seconds', last_at = now() - interval '16 minutes'",
    );
    await fail(scene, 1, () => '192.0.2.1');
    await scene.signIn('admin', RIGHT);
  });

  it('from many addresses makes strangers wait, and nobody where the account signs in', async () => {
    const scene = await start();
    await scene.signIn('admin', RIGHT, '192.0.2.77');
    await fail(scene, 25, (i) => `198.51.100.${i}`);
    await holdPauses();
    await expect(scene.signIn('admin', RIGHT, '203.0.113.9')).rejects.toMatchObject(paused);
    await scene.signIn('admin', RIGHT, '192.0.2.77');
  });

  it('shuts nobody out who has signed in from there before, in this process or before a restart', async () => {
    await (await start()).signIn('admin', RIGHT);
    const scene = await start({});
    // As after many wrong passwords, for this name and for others.
    const { address, pair } = attemptKeys('192.0.2.1', 'admin');
    for (const key of [address, pair])
      await home.dataSource.query(
        `INSERT INTO state.sign_in_failures (key, failures, last_at, blocked_until)
         VALUES ($1, 60, now(), now() + interval '1 hour')
         ON CONFLICT (key) DO UPDATE SET blocked_until = excluded.blocked_until`,
        [key],
      );
    for (let i = 0; i < 3; i++) await scene.signIn('admin', RIGHT);
    // The pauses go on, and what is wrong is not told apart from what is not checked.
    await expect(scene.signIn('admin', 'wrong one')).rejects.toMatchObject(paused);
    await expect(scene.signIn('name1', RIGHT)).rejects.toMatchObject(paused);
  });

  it('of many names from one address pauses the address, and a /64 is one address', async () => {
    const scene = await start();
    for (let i = 0; i < 50; i++) await fail(scene, 1, () => `2001:db8::${i}`, `name${i}`);
    await holdPauses();
    await expect(scene.signIn('admin', RIGHT, '2001:db8::ffff')).rejects.toMatchObject(paused);
    await scene.signIn('admin', RIGHT, '2001:db8:0:1::1');
  });
});

describe('a session', () => {
  const origin = { address: '192.0.2.1' };

  it('is known to every process until it is closed', async () => {
    const here = await start();
    const elsewhere = await start();
    const { token, expiresAt } = await here.signIn('admin', RIGHT);
    expect(expiresAt.getTime()).toBeGreaterThan(Date.now() + 11 * 3_600_000);
    for (const { principals } of [here, elsewhere]) {
      expect(await principals.authenticate(token, origin)).toMatchObject({ actor: { kind: 'account', name: 'admin' } });
    }
    const [session] = await here.sessions.listSessions(accountIdOf('admin'));
    expect(session).toMatchObject({ address: '192.0.2.1', userAgent: 'a browser' });
    await here.sessions.closeSession(session?.id ?? '');
    expect(await here.principals.authenticate(token, origin)).toBeNull();
    // What closes a session records it, which the other processes hear of.
    const closed = { type: 'closeSession', sessionId: session?.id ?? '', how: 'revoked' } as const;
    const { receipt } = await here.runner.run(account, accountIdOf('admin'), closed);
    await elsewhere.views.reflect(receipt);
    expect(await elsewhere.principals.authenticate(token, origin)).toBeNull();
  });

  // The clock of a machine may be set back by milliseconds between two statements.
  it.each([
    ['12 hours after it was opened', "expires_at = now() - interval '1 minute'"],
    ['when it is not used for two hours', "last_seen_at = now() - interval '2 hours 1 minute'"],
  ])('ends %s, and what it has begun goes on', async (_, change) => {
    const { signIn, principals, sessions } = await start();
    const { token } = await signIn('admin', RIGHT);
    // Without an origin, no use is noted in the background, which would come after the change.
    const principal = await principals.authenticate(token, null);
    if (!principal) throw new Error('Not signed in');
    await home.dataSource.query(`UPDATE state.sessions SET ${change}`);
    sessions.dropCachedOf(accountIdOf('admin'));
    expect(await principals.authenticate(token, origin)).toBeNull();
    expect(await sessions.listSessions(accountIdOf('admin'))).toEqual([]);
    expect(await principals.authorityNow(principal)).toEqual(principal.authority);
    await sessions.closeSession(principal.proof.id);
    expect(await principals.authorityNow(principal)).toBeNull();
  });

  it('ends with the account being disabled, in every process', async () => {
    const here = await start();
    const elsewhere = await start();
    const { token } = await here.signIn('admin', RIGHT);
    expect(await elsewhere.principals.authenticate(token, origin)).not.toBeNull();
    const { receipt } = await here.runner.run(account, accountIdOf('admin'), { type: 'disable', otherAdmins: 1 });
    for (const { views, principals } of [here, elsewhere]) {
      await views.reflect(receipt);
      expect(await principals.authenticate(token, origin)).toBeNull();
    }
  });

  it('has the rights of the account at each moment', async () => {
    const { signIn, principals, runner, views } = await start();
    const { token } = await signIn('admin', RIGHT);
    const to = { roles: ['viewer'], publishUpTo: null } as const;
    const { receipt } = await runner.run(account, accountIdOf('admin'), {
      type: 'changeRights',
      to,
      otherAdmins: 1,
      by: 'admin',
    });
    await views.reflect(receipt);
    expect((await principals.authenticate(token, origin))?.authority.permissions).toEqual(['own', 'read']);
  });

  it('is opened by nothing else', async () => {
    const { signIn, principals } = await start();
    const { token } = await signIn('admin', RIGHT);
    const [row]: { token_hash: Buffer }[] = await home.dataSource.query('SELECT token_hash FROM state.sessions');
    const others = ['', 'x', row?.token_hash.toString('base64url') ?? '', `${token}A`, `A${token.slice(1)}`];
    for (const other of others.filter((text) => text !== token))
      expect(await principals.authenticate(other, origin)).toBeNull();
  });
});
