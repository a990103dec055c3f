import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { startPair, type Pair } from '../support/pair.js';
import { sha256 } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';

let pair: Pair;
beforeAll(async () => (pair = await startPair()));
afterAll(() => pair.dispose());

const Uploaded = z.object({ id: z.string(), sha256: z.string(), size: z.number() });
const MIB = 1024 * 1024;
const TRAIL = '{ auditTrail(first: 100) { edges { node { kind actor { kind name } address } } } }';

it('serves on B, byte for byte and with the same validators, what was uploaded on A', async () => {
  const bytes = randomBytes(9 * MIB + 12_345);
  const reply = await pair.a.put('First Light ü.pkg', bytes);
  expect(reply.status).toBe(201);
  expect(Uploaded.parse(await reply.json())).toMatchObject({ sha256: sha256(bytes), size: bytes.length });

  await waitFor('the copy on B', async () => (await pair.b.servedDigest('First Light ü.pkg')) === sha256(bytes));
  const [onA, onB] = await Promise.all([pair.a.download('First Light ü.pkg'), pair.b.download('First Light ü.pkg')]);
  for (const header of ['etag', 'last-modified', 'repr-digest', 'content-length', 'accept-ranges']) {
    expect(onB.headers.get(header)).toBe(onA.headers.get(header));
    expect(onB.headers.get(header)).not.toBeNull();
  }
  expect(onA.headers.get('etag')).toBe(`"${sha256(bytes)}"`);
});

it('replicates the other way round as well, and an empty file too', async () => {
  expect((await pair.b.put('from-b.pkg', randomBytes(100))).status).toBe(201);
  const refused = await pair.b.put('empty.pkg', Buffer.alloc(0));
  expect([refused.status, await refused.json()]).toMatchObject([400, { code: 'EMPTY_FILE' }]);
  expect((await pair.b.put('empty.pkg', Buffer.alloc(0), '?allowEmpty=true')).status).toBe(201);
  await waitFor('the copy on A', async () => (await pair.a.download('from-b.pkg')).ok);
  await waitFor(
    'the empty copy on A',
    async () => (await pair.a.servedDigest('empty.pkg')) === sha256(Buffer.alloc(0)),
  );
});

it('serves the newest content of a filename on both, and neither after removal', async () => {
  for (const content of ['one', 'two']) await pair.a.put('same.pkg', Buffer.from(content));
  await waitFor(
    'the newer content on B',
    async () => (await pair.b.servedDigest('same.pkg')) === sha256(Buffer.from('two')),
  );
  const client = await pair.a.client();
  const Package = z.object({ package: z.object({ id: z.string() }) });
  const { package: found } = await client.ask('{ package(filename: "same.pkg") { id } }', Package);
  await client.ask('mutation ($id: ID!) { removePackage(id: $id) { id } }', z.unknown(), { id: found.id });
  expect(await pair.a.servedDigest('same.pkg')).not.toBe(sha256(Buffer.from('two')));
  await waitFor('the removal on B', async () => (await pair.b.servedDigest('same.pkg')) !== sha256(Buffer.from('two')));
});

it('tells in the audit trail who did it, on both servers', async () => {
  const Actor = z.object({ kind: z.string(), name: z.string() });
  const Entry = z.object({ kind: z.string(), actor: Actor, address: z.string().nullable() });
  const Trail = z.object({
    auditTrail: z.object({
      edges: z.array(z.object({ node: Entry })),
    }),
  });
  const ask = async (server: Pair['a']) =>
    (await (await server.client()).ask(TRAIL, Trail)).auditTrail.edges.map(({ node }) => node);
  const [onA, onB] = [await ask(pair.a), await ask(pair.b)];
  expect(onA.find(({ kind }) => kind === 'PackagePublished')).toBeDefined();
  expect(
    onA.some(({ kind, actor, address }) => kind === 'PackageRemoved' && actor.name === 'admin' && address !== null),
  ).toBe(true);
  expect(onB.some(({ kind }) => kind === 'ReplicaPublished')).toBe(true);
  expect(onB.some(({ kind, actor }) => kind === 'PeerInvited' && actor.name === 'admin')).toBe(true);
  expect(onA.some(({ kind }) => kind === 'PeerRegistered')).toBe(true);
});

it('has no refused call on record after a fresh registration, on either side', async () => {
  const Refused = z.object({
    auditTrail: z.object({ edges: z.array(z.object({ node: z.object({ summary: z.string() }) })) }),
  });
  const query = '{ auditTrail(first: 10, filter: { kinds: ["PeerCallRefused"] }) { edges { node { summary } } } }';
  for (const server of [pair.a, pair.b]) {
    expect((await (await server.client()).ask(query, Refused)).auditTrail.edges).toEqual([]);
    expect(server.output).not.toContain('Cannot follow');
  }
});

it('answers nobody without a session, downloads and health aside', async () => {
  const graphql = (query: string) =>
    fetch(`${pair.a.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
  for (const query of [
    '{ packages(first: 1) { edges { node { id } } } }',
    '{ __schema { types { name } } }',
    '{ server { id } }',
  ]) {
    expect(await (await graphql(query)).text()).toContain('UNAUTHENTICATED');
  }
  expect((await fetch(`${pair.a.url}/api/packages/x.pkg`, { method: 'PUT', body: 'x' })).status).toBe(401);
  for (const path of ['/peer/v1/feed', '/peer/v1/packages/x/manifest', '/peer/v1/packages/x/content']) {
    expect((await fetch(`${pair.a.url}${path}`)).status).toBe(401);
  }
  expect((await fetch(`${pair.a.url}/health/live`)).status).toBe(200);
});
