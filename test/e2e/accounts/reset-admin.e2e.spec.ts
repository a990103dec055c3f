import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask, bearer, OWN_PASSWORD, signIn, somebody } from '../../support/people.js';
import { PASSWORD, ServerUnderTest } from '../../support/server-under-test.js';

let server: ServerUnderTest;
beforeAll(async () => {
  server = await new ServerUnderTest('lost').start();
});
afterAll(() => server.dispose());

/** The new password, as the tool prints it. */
function reset(): string {
  const env = { ...process.env, ODST_DATA_DIR: server.dataDir };
  const { stdout, stderr, status } = spawnSync(process.execPath, ['dist/src/cli/admin/reset-admin.js'], {
    env,
    encoding: 'utf8',
  });
  const password = /^admin password: (\S{20})\n$/.exec(stdout)?.[1];
  if (status !== 0 || password === undefined) throw new Error(`${stdout}${stderr}`);
  return password;
}

it('gives the admin a new password while the server runs, on record, whatever was done to the account', async () => {
  const other = await somebody(server, 'usurper', ['admin']);
  const { data } = await ask(server, other.headers, '{ accounts { edges { node { id username } } } }');
  const id = /"id":"([^"]+)","username":"admin"/.exec(JSON.stringify(data))?.[1];
  await ask(server, other.headers, `mutation { disableAccount(id: "${id}") { id } }`);
  await ask(server, other.headers, `mutation { updateAccount(id: "${id}", roles: [viewer]) { id } }`);
  await expect(signIn(server, 'admin', PASSWORD)).rejects.toThrow('wrong');

  const password = reset();
  const me = bearer(await signIn(server, 'admin', password));
  expect((await ask(server, me, '{ server { id } }')).code).toBe('PASSWORD_CHANGE_REQUIRED');
  await ask(server, me, `mutation { changePassword(current: "${password}", new: "${OWN_PASSWORD}") }`);
  const trail = await ask(
    server,
    me,
    '{ auditTrail(filter: { kinds: ["PasswordChanged", "RoleChanged", "AccountEnabled"] }) { edges { node { summary actor { name } } } } }',
  );
  expect(JSON.stringify(trail.data)).toContain(
    `"Gave admin a new password on the server's own machine","actor":{"name":"accounts:reset-admin"}`,
  );
});

it('does so while the server is stopped', async () => {
  await server.stop();
  const password = reset();
  await server.start();
  await expect(signIn(server, 'admin', OWN_PASSWORD)).rejects.toThrow('wrong');
  await signIn(server, 'admin', password);
});
