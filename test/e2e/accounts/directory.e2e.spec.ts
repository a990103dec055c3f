import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import {
  BIND_DN,
  BIND_PASSWORD,
  CROWD,
  groupDn,
  GROUPS,
  passwordOf,
  PEOPLE,
  personDn,
  personEntry,
} from '../../support/directory/people.js';
import { ROLE_MAP } from '../../support/directory/settings-of.js';
import { Slapd } from '../../support/directory/slapd.js';
import { describeWithSlapd } from '../../support/directory/with-slapd.js';
import { ask, bearer, listen, signIn } from '../../support/people.js';
import { formsOf } from '../../support/secrets.js';
import { PASSWORD, ServerUnderTest } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const Health = z.object({ status: z.string(), directory: z.string() });
const STATUS =
  '{ directory { configured url encryption bindDn reachable lastError lastRefreshAt lastRefreshFailedAt } }';

describeWithSlapd('people of a directory', () => {
  let slapd: Slapd;
  let server: ServerUnderTest;

  beforeAll(async () => {
    slapd = await Slapd.start();
    const passwordFile = `${slapd.tls.caFile}.password`;
    writeFileSync(passwordFile, `${BIND_PASSWORD}\n`);
    server = await new ServerUnderTest('directory', {
      ODST_STAGE: 'Dev',
      LDAP_URL: slapd.ldap,
      LDAP_START_TLS: 'true',
      LDAP_CA_FILE: slapd.tls.caFile,
      LDAP_BIND_DN: BIND_DN,
      LDAP_BIND_PASSWORD_FILE: passwordFile,
      LDAP_SEARCH_BASE: PEOPLE,
      LDAP_GROUP_SEARCH_BASE: GROUPS,
      LDAP_NESTED_GROUPS: 'recursive',
      LDAP_ROLE_MAP: ROLE_MAP,
      LDAP_TIMEOUT: '2s',
    }).start();
  });
  afterAll(async () => {
    await server.dispose();
    await slapd.stop();
  });

  const enter = async (name: string) => bearer(await signIn(server, name, passwordOf(name.toLowerCase())));
  const me = async (headers: Record<string, string>) =>
    (await ask(server, headers, '{ me { username displayName source roles publishUpTo } }')).data;
  const admin = async () => bearer((await server.client()).token);
  const refresh = async () => ask(server, await admin(), 'mutation { refreshDirectory { accounts changed } }');
  const trySignIn = (name: string, password: string) =>
    ask(
      server,
      {},
      'mutation ($name: String!, $password: String!) { signIn(username: $name, password: $password) { token } }',
      { name, password },
    );

  it('sign in, with the roles of their groups and of the groups that these are in', async () => {
    expect(await me(await enter('ann'))).toEqual({
      me: { username: 'ann', displayName: 'The ann', source: 'directory', roles: ['admin'], publishUpTo: null },
    });
    const bob = await enter('Bob');
    expect(await me(bob)).toEqual({
      me: { username: 'bob', displayName: 'The bob', source: 'directory', roles: ['publisher'], publishUpTo: 'Test' },
    });
    const put = (stage: string) =>
      fetch(`${server.url}/api/packages/bobs.pkg?stage=${stage}`, { method: 'PUT', headers: bob, body: 'x' });
    expect((await put('Test')).status).toBe(201);
    expect((await put('Prod')).status).toBe(403);
    const { code } = await ask(
      server,
      bob,
      `mutation { changePassword(current: "${passwordOf('bob')}", new: "another long password") }`,
    );
    expect(code).toBe('ACCOUNT_IN_DIRECTORY');
  });

  it('are not let in without a group, with an empty or wrong password, or by a pattern', async () => {
    const tries = [
      ['cat', passwordOf('cat')],
      ['bob', ''],
      ['bob', 'wrong'],
      ['b*', passwordOf('bob')],
      ['bob)(uid=*', 'x'],
      ['nobody', 'x'],
    ];
    for (const [name = '', password = ''] of tries)
      expect((await trySignIn(name, password)).code).toBe('SIGN_IN_REFUSED');
  });

  it(`sign in by the dozen, ${CROWD} of them are there`, async () => {
    const tokens = await Promise.all(Array.from({ length: 12 }, (_, i) => enter(`crowd${i * 16}`)));
    expect(await me(tokens[0] ?? {})).toMatchObject({ me: { roles: ['viewer'] } });
    expect((await refresh()).data).toMatchObject({ refreshDirectory: { changed: 0 } });
  });

  it('lose what they had when they leave a group, also in open sessions and subscriptions', async () => {
    const bob = await enter('bob');
    const ann = await enter('ann');
    const heard = listen(server, 'subscription { packageChanged { id } }', { Authorization: ann['authorization'] });
    await waitFor('the subscription', () => heard.opened);
    await slapd.addMember(groupDn('viewers'), personDn('bob'));
    await slapd.removeMember(groupDn('publishers'), personDn('bob'));
    await slapd.removeMember(groupDn('admins'), groupDn('core')).catch(() => slapd.remove(groupDn('admins')));
    expect((await refresh()).data).toMatchObject({ refreshDirectory: { changed: 2 } });
    expect(await me(bob)).toMatchObject({ me: { roles: ['viewer'] } });
    expect((await ask(server, ann, '{ me { username } }')).code).toBe('UNAUTHENTICATED');
    await waitFor('the end of the subscription', () => heard.ended !== null);
  });

  it('are out when they are removed, with their API tokens', async () => {
    await slapd.add(personEntry('temp'));
    await slapd.addMember(groupDn('viewers'), personDn('temp'));
    const temp = await enter('temp');
    const { data } = await ask(server, temp, 'mutation { createApiToken(name: "ci", scopes: [read]) { token } }');
    const { token } = z.object({ createApiToken: z.object({ token: z.string() }) }).parse(data).createApiToken;
    expect((await ask(server, bearer(token), '{ server { id } }')).code).toBeNull();
    await slapd.remove(personDn('temp'));
    await refresh();
    expect((await ask(server, temp, '{ server { id } }')).code).toBe('UNAUTHENTICATED');
    expect((await ask(server, bearer(token), '{ server { id } }')).code).toBe('UNAUTHENTICATED');
  });

  it('are looked up by the server itself, also right after its start', async () => {
    const viewer = await enter('crowd7');
    await slapd.removeMember(groupDn('viewers'), personDn('crowd7'));
    await server.stop();
    await server.start();
    await waitFor(
      'the end of the session',
      async () => (await ask(server, viewer, '{ server { id } }')).code === 'UNAUTHENTICATED',
    );
  });

  it('are shown to administrators as they would be let in', async () => {
    const test = async (name: string) =>
      (
        await ask(
          server,
          await admin(),
          `{ testDirectory(username: "${name}") { found dn groups roles publishUpTo verdict } }`,
        )
      ).data;
    expect(await test('zoe')).toMatchObject({
      testDirectory: {
        found: true,
        groups: [groupDn('publishers')],
        roles: ['publisher'],
        publishUpTo: 'Test',
        verdict: 'May sign in with the right password.',
      },
    });
    expect(await test('cat')).toMatchObject({
      testDirectory: { found: true, roles: [], verdict: expect.stringContaining('finds no group') },
    });
    expect(await test('nobody')).toMatchObject({ testDirectory: { found: false } });
    const viewer = await enter('crowd1');
    for (const query of [
      STATUS,
      '{ testDirectory(username: "bob") { dn } }',
      'mutation { refreshDirectory { changed } }',
      'mutation { relinkAccount(id: "x") { id } }',
    ]) {
      expect((await ask(server, viewer, query)).code).toBe('FORBIDDEN');
    }
  });

  it('find the audit trail telling where they came from', async () => {
    const { data } = await ask(server, await admin(), '{ auditTrail(first: 100) { edges { node { kind summary } } } }');
    const told = JSON.stringify(data);
    for (const part of [
      'bob signed in through the directory',
      'from the directory',
      'who is gone or disabled in the directory',
      'Changed the roles of bob',
    ])
      expect(told).toContain(part);
  });

  it('wait while the directory is down, and nobody else does', async () => {
    const viewer = await enter('crowd1');
    await slapd.halt();
    await waitFor(
      'an answer that is not remembered',
      async () => (await trySignIn('crowd2', 'x')).code === 'DIRECTORY_UNAVAILABLE',
    );
    expect((await trySignIn('admin', 'wrong')).code).toBe('DIRECTORY_UNAVAILABLE');
    expect(await me(bearer(await signIn(server, 'admin', PASSWORD)))).toMatchObject({ me: { username: 'admin' } });
    expect((await refresh()).code).toBe('DIRECTORY_UNAVAILABLE');
    expect(await me(viewer)).toMatchObject({ me: { roles: ['viewer'] } });
    await waitFor('the status', async () =>
      JSON.stringify((await ask(server, await admin(), STATUS)).data).includes('"reachable":false'),
    );
    const ready = await fetch(`${server.url}/health/ready`);
    expect([ready.status, Health.parse(await ready.json())]).toEqual([
      200,
      expect.objectContaining({ status: 'ok', directory: 'unavailable' }),
    ]);
    await slapd.launch();
    await waitFor(
      'the directory to be asked again',
      async () => (await trySignIn('crowd2', passwordOf('crowd2'))).code === null,
    );
    await refresh();
    await waitFor('the status', async () =>
      JSON.stringify((await ask(server, await admin(), STATUS)).data).includes('"reachable":true,"lastError":null'),
    );
  });

  it('have no secret of the directory in anything that is told', async () => {
    const { data } = await ask(server, await admin(), STATUS);
    expect(data).toMatchObject({
      directory: { configured: true, url: slapd.ldap, encryption: 'StartTLS', bindDn: BIND_DN },
    });
    const { data: trail } = await ask(
      server,
      await admin(),
      '{ auditTrail(first: 100) { edges { node { summary details } } } }',
    );
    const told = `${server.output} ${JSON.stringify(data)} ${JSON.stringify(trail)}`;
    for (const secret of [BIND_PASSWORD, passwordOf('bob')])
      for (const form of formsOf(secret)) expect(told).not.toContain(form);
  });
});
