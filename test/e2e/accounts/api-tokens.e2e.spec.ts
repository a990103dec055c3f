import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ask, bearer, inDatabase, somebody } from '../../support/people.js';
import { ServerUnderTest } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

let server: ServerUnderTest;
let admin: Record<string, string>;
beforeAll(async () => {
  server = await new ServerUnderTest('tokens', { ODST_STAGE: 'Dev' }).start();
  admin = bearer((await server.client()).token);
});
afterAll(() => server.dispose());

const Made = z.object({ createApiToken: z.object({ token: z.string(), apiToken: z.object({ id: z.string() }) }) });
const CREATE = `mutation ($name: String!, $scopes: [Permission!]!, $publishUpTo: Stage, $expiresAt: DateTime) {
  createApiToken(name: $name, scopes: $scopes, publishUpTo: $publishUpTo, expiresAt: $expiresAt) { token apiToken { id } } }`;

async function make(headers: Record<string, string>, scopes: readonly string[], change: object = {}) {
  const answer = await ask(server, headers, CREATE, { name: `for ${scopes.join(' and ')}`, scopes, ...change });
  const { token, apiToken } = Made.parse(answer.data).createApiToken;
  return { id: apiToken.id, token, headers: bearer(token) };
}

const put = (headers: Record<string, string>, filename: string, stage = 'Dev') =>
  fetch(`${server.url}/api/packages/${filename}?stage=${stage}`, { method: 'PUT', headers, body: filename });

describe('an API token', () => {
  it('uploads to its stage, and does nothing else', async () => {
    const me = await somebody(server, 'publisher', ['publisher'], 'Test');
    const ci = await make(me.headers, ['upload'], { name: 'AutoPkg', publishUpTo: 'Dev' });
    expect(ci.token).toMatch(/^odst_[\w-]{43}[0-9a-f]{8}$/);
    expect((await put(ci.headers, 'ci.pkg')).status).toBe(201);
    expect((await put(ci.headers, 'ci.pkg', 'Test')).status).toBe(403);
    for (const query of [
      '{ server { id } }',
      '{ me { id } }',
      '{ apiTokens { id } }',
      'mutation { revokeAllSessions }',
      '{ accounts { edges { cursor } } }',
    ]) {
      expect([query, (await ask(server, ci.headers, query)).code]).toEqual([query, 'FORBIDDEN']);
    }
    const [promotion, session] = await Promise.all([
      ask(server, ci.headers, 'mutation { setPackageStage(id: "none", stage: Dev) { id } }'),
      ask(server, ci.headers, 'mutation { revokeAllSessions }'),
    ]);
    expect(promotion.message).toMatch(/^The API token .+ may not do this: it lacks the scope `promote`/);
    expect(session.message).toMatch(/^API tokens may not do this: it needs the permission `own`/);
    const { data } = await ask(server, me.headers, '{ package(filename: "ci.pkg") { uploadedBy } }');
    expect(data).toEqual({ package: { uploadedBy: 'publisher' } });
    const trail = await ask(
      server,
      admin,
      '{ auditTrail(filter: { kinds: ["PackagePublished"] }, first: 1) { edges { node { actor { kind name id } } } } }',
    );
    expect(JSON.stringify(trail.data)).toContain(`{"kind":"token","name":"AutoPkg of publisher","id":"${ci.id}"}`);
    await waitFor('its use to be noted', async () => {
      const used = await ask(server, me.headers, '{ apiTokens { lastUsedAt lastUsedFrom } }');
      return JSON.stringify(used.data).includes('"lastUsedFrom":"127.0.0.1"');
    });
  });

  it('can do no more than its owner, at any time', async () => {
    const me = await somebody(server, 'shrinking', ['operator', 'viewer']);
    expect((await ask(server, me.headers, CREATE, { name: 'too much', scopes: ['audit'] })).code).toBe('FORBIDDEN');
    expect((await ask(server, me.headers, CREATE, { name: 'too much', scopes: ['own'] })).code).toBe('INVALID_REQUEST');
    const token = await make(me.headers, ['read', 'peers']);
    expect((await ask(server, token.headers, 'mutation { suspendPeer(id: "none") { id } }')).code).toBe(
      'PEER_NOT_FOUND',
    );
    await ask(server, admin, `mutation { updateAccount(id: "${me.id}", roles: [viewer]) { id } }`);
    expect((await ask(server, token.headers, 'mutation { suspendPeer(id: "none") { id } }')).code).toBe('FORBIDDEN');
    expect((await ask(server, token.headers, '{ server { id } }')).code).toBeNull();
  });

  it('is revoked by its owner and by administrators, and by nobody else', async () => {
    const me = await somebody(server, 'owner', ['viewer']);
    const other = await somebody(server, 'not.owner', ['viewer']);
    const [first, second] = [await make(me.headers, ['read']), await make(me.headers, ['read'], { name: 'second' })];
    const revoke = (headers: Record<string, string>, id: string) =>
      ask(server, headers, `mutation { revokeApiToken(id: "${id}") }`);
    expect((await revoke(other.headers, first.id)).code).toBe('TOKEN_NOT_FOUND');
    expect((await revoke(me.headers, first.id)).data).toEqual({ revokeApiToken: true });
    expect((await ask(server, first.headers, '{ server { id } }')).status).toBe(401);
    const listed = await ask(server, admin, `{ account(id: "${me.id}") { apiTokens { id } } }`);
    expect(listed.data).toEqual({ account: { apiTokens: [{ id: second.id }] } });
    expect((await revoke(admin, second.id)).data).toEqual({ revokeApiToken: true });
    expect((await ask(server, second.headers, '{ server { id } }')).status).toBe(401);
  });

  it('stops while its owner is disabled', async () => {
    const me = await somebody(server, 'paused', ['viewer']);
    const token = await make(me.headers, ['read']);
    await ask(server, admin, `mutation { disableAccount(id: "${me.id}") { id } }`);
    expect((await ask(server, token.headers, '{ server { id } }')).status).toBe(401);
    await ask(server, admin, `mutation { enableAccount(id: "${me.id}") { id } }`);
    expect((await ask(server, token.headers, '{ server { id } }')).code).toBeNull();
    expect((await ask(server, me.headers, '{ me { id } }')).status).toBe(401);
  });

  it('says so when it has expired', async () => {
    const token = await make(admin, ['read', 'upload'], { expiresAt: new Date(Date.now() + 1_500).toISOString() });
    await waitFor(
      'its end',
      async () => (await ask(server, token.headers, '{ server { id } }')).code === 'TOKEN_EXPIRED',
    );
    const answer = await ask(server, token.headers, '{ server { id } }');
    expect(answer).toMatchObject({ status: 401, message: expect.stringContaining('expired') });
    expect((await put(token.headers, 'late.pkg')).status).toBe(401);
  });

  it('is nowhere in the log and the database', async () => {
    const { token } = await make(admin, ['read'], { name: 'secret' });
    const secret = token.slice(5, 48);
    const found = `SELECT 1 / count(*) FROM log.events WHERE data::text LIKE '%ApiToken%' OR type = 'ApiTokenIssued'`;
    await inDatabase(server, found);
    const leaked = `DO $$ BEGIN IF EXISTS (SELECT FROM log.events WHERE data::text LIKE '%${secret}%')
      THEN RAISE EXCEPTION 'leaked'; END IF; END $$`;
    await inDatabase(server, leaked);
    expect(server.output).not.toContain(secret);
  });
});
