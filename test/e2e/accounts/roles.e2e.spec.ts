import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ask, bearer, OWN_PASSWORD, signIn, somebody } from '../../support/people.js';
import { ServerUnderTest } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const ROLES = ['viewer', 'publisher', 'operator', 'auditor', 'admin'] as const;
type Role = (typeof ROLES)[number];
type Person = Awaited<ReturnType<typeof somebody>>;

const NOBODY = '00000000-0000-5000-8000-000000000000';
let server: ServerUnderTest;
const people = new Map<Role, Person>();

beforeAll(async () => {
  server = await new ServerUnderTest('roles', { ODST_STAGE: 'Dev' }).start();
  for (const role of ROLES)
    people.set(role, await somebody(server, `the.${role}`, [role], role === 'publisher' ? 'Test' : null));
});
afterAll(() => server.dispose());

const as = (role: Role): Person => {
  const person = people.get(role);
  if (!person) throw new Error(`Nobody is ${role}`);
  return person;
};

/** What is called, and which roles may. An answer other than FORBIDDEN means that the call was let in. */
const CALLS: readonly (readonly [string, readonly Role[]])[] = [
  ['{ me { username permissions } }', ROLES],
  ['{ sessions { id current } }', ROLES],
  ['{ apiTokens { id } }', ROLES],
  ['{ server { id } }', ROLES],
  ['{ packages { totalCount } }', ROLES],
  ['{ peers { id inSync } }', ROLES],
  ['{ queue { waiting } }', ROLES],
  [`mutation { setPackageStage(id: "${NOBODY}", stage: Dev) { id } }`, ['publisher', 'admin']],
  [`mutation { removePackage(id: "${NOBODY}") { id } }`, ['publisher', 'admin']],
  ['mutation { acceptPeerInvitation(token: "none") { id } }', ['operator', 'admin']],
  ['mutation { suspendPeer(id: "none") { id } }', ['operator', 'admin']],
  [`mutation { retryReplica(packageId: "${NOBODY}") { state } }`, ['operator', 'admin']],
  [`mutation { verifyPackage(id: "${NOBODY}") }`, ['operator', 'admin']],
  ['{ auditTrail { edges { node { kind } } } }', ['auditor', 'admin']],
  ['{ auditChain { entries } auditCheckpoint { hash } auditCheckpoints { sequence } }', ['auditor', 'admin']],
  ['mutation { updateServer { id } }', ['admin']],
  ['{ accounts { edges { node { username sessions { id } } } } }', ['admin']],
  ['{ account(id: "none") { id } }', ['admin']],
  ['mutation { createAccount(username: "", roles: [viewer]) { oneTimePassword } }', ['admin']],
  ['mutation { disableAccount(id: "none") { id } }', ['admin']],
  ['mutation { resetPassword(id: "none") { oneTimePassword } }', ['admin']],
];

describe.each(CALLS)('%s', (query, allowed) => {
  it.each(ROLES)('as %s', async (role) => {
    const { code } = await ask(server, as(role).headers, query);
    expect(code).not.toBe('GRAPHQL_VALIDATION_FAILED');
    expect(code !== 'FORBIDDEN').toBe(allowed.includes(role));
  });
});

const put = (person: Person, filename: string, content: string, stage = 'Dev') =>
  fetch(`${server.url}/api/packages/${filename}?stage=${stage}`, {
    method: 'PUT',
    headers: person.headers,
    body: content,
  });
const Uploaded = z.object({ id: z.string() });

describe('a refused call', () => {
  it('over HTTP is 403, names what is needed, and is on record', async () => {
    const reply = await put(as('viewer'), 'no.pkg', 'x');
    expect(reply.status).toBe(403);
    expect(await reply.json()).toMatchObject({
      code: 'FORBIDDEN',
      details: { need: 'upload' },
      message: expect.stringContaining('publisher'),
    });
    await waitFor('the entry', async () => {
      const { data } = await ask(
        server,
        as('auditor').headers,
        '{ auditTrail(filter: { kinds: ["CallRefused"] }) { edges { node { summary } } } }',
      );
      return JSON.stringify(data).includes('Refused the.viewer the call PUT /api/packages/no.pkg: it needs upload');
    });
  });
});

describe('a publisher', () => {
  it('publishes and promotes up to the stage of the role', async () => {
    const me = as('publisher');
    const { id } = Uploaded.parse(await (await put(me, 'mine.pkg', 'mine')).json());
    expect((await put(me, 'prod.pkg', 'x', 'Prod')).status).toBe(403);
    const promote = (stage: string) =>
      ask(server, me.headers, `mutation { setPackageStage(id: "${id}", stage: ${stage}) { stage uploadedBy } }`);
    expect((await promote('Prod')).code).toBe('FORBIDDEN');
    expect((await promote('Test')).data).toEqual({ setPackageStage: { stage: 'Test', uploadedBy: 'the.publisher' } });
  });

  it('removes what they have published, and nothing of others', async () => {
    const me = as('publisher');
    const theirs = Uploaded.parse(await (await server.put('theirs.pkg', Buffer.from('theirs'), '?stage=Dev')).json());
    const mine = Uploaded.parse(await (await put(me, 'gone.pkg', 'gone')).json());
    const remove = (id: string) => ask(server, me.headers, `mutation { removePackage(id: "${id}") { state } }`);
    expect(await remove(theirs.id)).toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('admin has published it'),
    });
    expect((await put(me, 'theirs.pkg', 'theirs')).status).toBe(403);
    expect((await remove(mine.id)).data).toEqual({ removePackage: { state: 'REMOVED' } });
  });

  it('does not take back what has come above their limit', async () => {
    const me = as('publisher');
    const { id } = Uploaded.parse(await (await put(me, 'released.pkg', 'released')).json());
    await ask(server, as('admin').headers, `mutation { setPackageStage(id: "${id}", stage: Prod) { stage } }`);
    // A repetition changes nothing.
    expect((await put(me, 'released.pkg', 'released')).status).toBe(200);
    expect(
      (await ask(server, me.headers, `mutation { setPackageStage(id: "${id}", stage: Dev) { stage } }`)).code,
    ).toBe('FORBIDDEN');
    expect((await ask(server, me.headers, `mutation { removePackage(id: "${id}") { state } }`)).code).toBe('FORBIDDEN');
  });
});

describe('an account', () => {
  it('has to change a password that somebody else has given, and can do nothing before', async () => {
    const create =
      'mutation { createAccount(username: "new.one", roles: [viewer], password: "given by the admin") { oneTimePassword account { mustChangePassword } } }';
    expect((await ask(server, as('admin').headers, create)).data).toEqual({
      createAccount: { oneTimePassword: null, account: { mustChangePassword: true } },
    });
    const me = bearer(await signIn(server, 'New.One', 'given by the admin'));
    expect((await ask(server, me, '{ server { id } }')).code).toBe('PASSWORD_CHANGE_REQUIRED');
    expect((await ask(server, me, '{ me { mustChangePassword } }')).data).toEqual({ me: { mustChangePassword: true } });
    const change = (current: string, next: string) =>
      ask(server, me, `mutation { changePassword(current: "${current}", new: "${next}") }`);
    expect((await change('wrong', OWN_PASSWORD)).code).toBe('SIGN_IN_REFUSED');
    expect((await change('given by the admin', 'short')).code).toBe('PASSWORD_REFUSED');
    expect((await change('given by the admin', 'given by the admin')).code).toBe('PASSWORD_REFUSED');
    expect((await change('given by the admin', OWN_PASSWORD)).data).toEqual({ changePassword: true });
    expect((await ask(server, me, '{ server { id } }')).code).toBeNull();
  });

  it('is one, in whatever letter case', async () => {
    const create = (name: string) =>
      ask(
        server,
        as('admin').headers,
        `mutation { createAccount(username: "${name}", roles: [viewer]) { account { username } } }`,
      );
    expect((await create('Käthe')).data).toMatchObject({ createAccount: { account: { username: 'Käthe' } } });
    expect((await create('kÄTHE')).code).toBe('USERNAME_TAKEN');
    expect((await create('no spaces')).code).toBe('INVALID_USERNAME');
  });

  it('of the last admin stays', async () => {
    const admin = await somebody(server, 'second.admin', ['admin']);
    const { data } = await ask(server, admin.headers, '{ accounts { edges { node { id username roles } } } }');
    const Accounts = z.object({
      accounts: z.object({
        edges: z.array(
          z.object({ node: z.object({ id: z.string(), username: z.string(), roles: z.array(z.string()) }) }),
        ),
      }),
    });
    const others = Accounts.parse(data).accounts.edges.filter(
      ({ node }) => node.roles.includes('admin') && node.id !== admin.id,
    );
    for (const { node } of others)
      expect(
        (await ask(server, admin.headers, `mutation { disableAccount(id: "${node.id}") { disabled } }`)).code,
      ).toBeNull();
    expect((await ask(server, admin.headers, `mutation { disableAccount(id: "${admin.id}") { disabled } }`)).code).toBe(
      'LAST_ADMIN',
    );
    expect(
      (await ask(server, admin.headers, `mutation { updateAccount(id: "${admin.id}", roles: [viewer]) { roles } }`))
        .code,
    ).toBe('LAST_ADMIN');
    for (const { node } of others)
      await ask(server, admin.headers, `mutation { enableAccount(id: "${node.id}") { disabled } }`);
  });
});
