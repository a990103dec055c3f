import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { auditVerify } from '../../support/audit-tool.js';
import { startPair, type Pair } from '../../support/pair.js';
import { ask, bearer, inDatabase, somebody } from '../../support/people.js';
import type { ServerUnderTest } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

let pair: Pair;
beforeAll(async () => (pair = await startPair()));
afterAll(() => pair.dispose());

const Uploaded = z.object({ id: z.string() });
const Trail = z.object({
  auditTrail: z.object({
    edges: z.array(
      z.object({
        node: z.object({
          kind: z.string(),
          summary: z.string(),
          changes: z.array(z.object({ field: z.string(), before: z.unknown(), after: z.unknown() })),
          origin: z
            .object({ serverId: z.string(), serverName: z.string().nullable(), actor: z.string().nullable() })
            .nullable(),
        }),
      }),
    ),
  }),
});

async function trail(server: ServerUnderTest, filter: object) {
  const query =
    'query ($filter: AuditFilter) { auditTrail(filter: $filter, first: 100) { edges { node { kind summary changes { field before after } origin { serverId serverName actor } } } } }';
  return (await (await server.client()).ask(query, Trail, { filter })).auditTrail.edges.map(({ node }) => node);
}

const ofServer = async (server: ServerUnderTest) =>
  (
    await (
      await server.client()
    ).ask('{ server { id publicKey } }', z.object({ server: z.object({ id: z.string(), publicKey: z.string() }) }))
  ).server;

async function exportOf(server: ServerUnderTest, query = '') {
  return fetch(`${server.url}/api/audit/export${query}`, { headers: bearer((await server.client()).token) });
}

const verify = (server: ServerUnderTest, ...args: string[]) => auditVerify(args, { ODST_DATA_DIR: server.dataDir });

describe('the audit trail of two servers', () => {
  it('tells on the second on which server and by whom it began, and what was changed', async () => {
    const { a, b } = pair;
    const { id } = Uploaded.parse(await (await a.put('far.pkg', randomBytes(2_000_000))).json());
    await waitFor('the copy', async () => (await b.download('far.pkg')).ok);
    const anna = await somebody(a, 'anna', ['publisher'], 'Prod');
    const promoter = await somebody(a, 'paula', ['admin']);
    await ask(a, promoter.headers, `mutation { removePackage(id: "${id}") { state } }`);
    await ask(
      a,
      bearer((await a.client()).token),
      `mutation { updateAccount(id: "${anna.id}", roles: [viewer]) { id } }`,
    );
    await waitFor('the removal on b', async () => !(await b.download('far.pkg')).ok);
    const onB = await trail(b, { target: id });
    const origin = { serverId: (await ofServer(a)).id, serverName: 'a', actor: 'admin' };
    expect(onB.find(({ kind }) => kind === 'PackagePublished')).toMatchObject({ origin });
    expect(onB.find(({ kind }) => kind === 'ReplicaPublished')).toMatchObject({ origin });
    const removed = onB.find(({ kind }) => kind === 'PackageRemoved');
    expect(removed).toMatchObject({
      origin: { serverId: origin.serverId, serverName: 'a', actor: 'paula' },
      changes: [{ field: 'removed', before: false, after: true }],
    });
    expect((await trail(a, { target: id })).every((entry) => entry.origin === null)).toBe(true);
    const [role] = await trail(a, { kinds: ['RoleChanged'] });
    expect(role?.changes).toEqual([
      { field: 'roles', before: ['publisher'], after: ['viewer'] },
      { field: 'publishUpTo', before: 'Prod', after: null },
    ]);
  });

  it('is exported by whom may read it, and verified with nothing but the public key', async () => {
    const { b } = pair;
    const viewer = await somebody(b, 'vera', ['viewer']);
    expect((await fetch(`${b.url}/api/audit/export`)).status).toBe(401);
    expect((await fetch(`${b.url}/api/audit/export`, { headers: viewer.headers })).status).toBe(403);
    expect((await exportOf(b, '?format=xml')).status).toBe(400);
    const text = await (await exportOf(b)).text();
    const file = join(b.dataDir, 'export.ndjson');
    writeFileSync(file, text);
    const { publicKey } = await ofServer(b);
    const right = await auditVerify(['--export', file, '--public-key', publicKey, '--json']);
    expect(right).toMatchObject({ code: 0, said: expect.stringContaining('OK:') });
    expect(JSON.parse(right.json)).toMatchObject({ ok: true, problems: [] });
    const other = await auditVerify(['--export', file, '--public-key', (await ofServer(pair.a)).publicKey]);
    expect(other).toMatchObject({ code: 1, said: expect.stringContaining('is not known to be this server') });
    const cut = await auditVerify(['--export', '-', '--public-key', publicKey], {}, text.slice(0, text.length - 300));
    expect(cut).toMatchObject({ code: 1, said: expect.stringContaining('cut off') });
    const csv = await (await exportOf(b, '?format=csv&kinds=SignedIn')).text();
    expect(csv.split('\r\n').at(-2)).toContain('EndOfExport');
  });

  it('follows a new key of the server, from the old public key and from the new one', async () => {
    const { a } = pair;
    const before = await ofServer(a);
    await (await a.client()).ask('mutation { rotateServerKey { id } }', z.unknown());
    const after = await ofServer(a);
    expect(after.publicKey).not.toBe(before.publicKey);
    const text = await (await exportOf(a)).text();
    for (const { publicKey } of [before, after]) {
      expect(await auditVerify(['--export', '-', '--public-key', publicKey], {}, text)).toMatchObject({ code: 0 });
    }
    expect(await verify(a)).toMatchObject({ code: 0 });
  });

  it('goes on after SIGKILL in the middle of writes, and is whole', async () => {
    const { a } = pair;
    for (let round = 0; round < 2; round++) {
      const uploads = Array.from({ length: 20 }, (_, i) =>
        a.put(`killed-${round}-${i}.pkg`, randomBytes(20_000)).catch(() => null),
      );
      await Promise.race(uploads);
      await a.kill();
      await Promise.all(uploads);
      await a.start();
    }
    const done = await waitFor('the chain', async () => {
      const result = await verify(a, '--json');
      return result.code !== 0 || !result.said.includes('not in the chain yet') ? result : null;
    });
    expect(done).toMatchObject({ code: 0, said: expect.stringContaining('OK:') });
  });

  it('shows what was changed in the database, while the server runs and when it does not', async () => {
    const { b } = pair;
    await inDatabase(
      b,
      `UPDATE log.events SET metadata = jsonb_set(metadata::jsonb, '{actor,name}', '"nobody"')::json WHERE position = 7`,
    );
    const found = await verify(b);
    expect(found).toMatchObject({
      code: 1,
      said: expect.stringMatching(/PROBLEM \(changed\) at entry 7: Entry 7, event [0-9a-f-]{36}/),
    });
    await b.stop();
    expect(await verify(b)).toMatchObject({ code: 1, said: expect.stringContaining('PROBLEM (changed) at entry 7') });
    await b.start();
  });
});
