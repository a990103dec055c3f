import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { AdminClient } from '../../src/cli/demo/admin-client.js';
import { PASSWORD, ServerUnderTest, sha256 } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

/** What is in the data folder that a server of version 0.1.0 left behind. */
const Left = z.object({
  environment: z.object({ ODST_NAME: z.string(), ODST_STAGE: z.string() }),
  serverId: z.string(),
  peer: z.object({ id: z.string(), name: z.string(), url: z.string() }),
  account: z.object({
    username: z.string(),
    password: z.string(),
    roles: z.array(z.string()),
    publishUpTo: z.string(),
  }),
  token: z.object({ name: z.string(), id: z.string(), token: z.string() }),
  packages: z.array(
    z.object({
      id: z.string(),
      filename: z.string(),
      size: z.number(),
      sha1: z.string(),
      sha256: z.string(),
      stage: z.string(),
      state: z.string(),
    }),
  ),
  fetchedFromPeer: z.string(),
  removed: z.object({ id: z.string(), filename: z.string() }),
  /** Oldest first. */
  auditEntries: z.array(z.object({ id: z.string(), kind: z.string(), recordedAt: z.string() })),
});
const left = Left.parse(JSON.parse(readFileSync(fixture('data-folder-0.1.0.json'), 'utf8')));

/** Unpacks the folder as files of whoever runs this: the server gives PostgreSQL what it has to own. */
function unpack(folder: string): void {
  const archive = `${folder}.tar`;
  writeFileSync(archive, brotliDecompressSync(readFileSync(fixture('data-folder-0.1.0.tar.br'))));
  execFileSync('tar', ['-x', '-p', '--no-same-owner', '-f', archive, '-C', folder]);
  rmSync(archive);
}

let server: ServerUnderTest;
let admin: AdminClient;
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'odst-upgrade-'));
  unpack(folder);
  const { ODST_NAME, ODST_STAGE } = left.environment;
  server = await new ServerUnderTest(ODST_NAME, { ODST_STAGE }, folder).start();
  admin = await AdminClient.signIn(server.url, 'admin', PASSWORD);
});
afterAll(() => server.dispose());

const PACKAGES = '{ packages(first: 100) { edges { node { id filename size sha1 sha256 stage state } } } }';
const Packages = z.object({
  packages: z.object({ edges: z.array(z.object({ node: z.record(z.string(), z.unknown()) })) }),
});

describe('a data folder of version 0.1.0', () => {
  it('belongs to the same server, with the same peer', async () => {
    const Known = z.object({
      server: z.object({ id: z.string(), stage: z.string() }),
      peers: z.array(z.object({ id: z.string(), name: z.string(), url: z.string() })),
    });
    expect(await admin.ask('{ server { id stage } peers { id name url } }', Known)).toEqual({
      server: { id: left.serverId, stage: left.environment.ODST_STAGE },
      peers: [left.peer],
    });
  });

  it('has its packages, with the same digests and stages', async () => {
    const { packages } = await admin.ask(PACKAGES, Packages);
    expect(packages.edges.map(({ node }) => node)).toEqual(left.packages);
  });

  it('signs what this server had published, and nothing that another one had', async () => {
    const Signed = z.object({
      packages: z.object({
        edges: z.array(
          z.object({
            node: z.object({
              origin: z.object({ id: z.string() }),
              signatures: z.array(z.object({ register: z.string(), status: z.string() })),
            }),
          }),
        ),
      }),
    });
    const query = '{ packages(first: 100) { edges { node { origin { id } signatures { register status } } } } }';
    const publications = async () =>
      (await admin.ask(query, Signed)).packages.edges.map(({ node: { origin, signatures } }) => ({
        isOwn: origin.id === left.serverId,
        status: signatures.find(({ register }) => register === 'PUBLICATION')?.status,
      }));
    await waitFor('the signatures', async () =>
      (await publications()).every(({ isOwn, status }) => !isOwn || status === 'VERIFIED'),
    );
    const statuses = await publications();
    expect(statuses.some(({ isOwn }) => isOwn)).toBe(true);
    expect(statuses.filter(({ isOwn }) => !isOwn).map(({ status }) => status)).toEqual(['UNSIGNED']);
  });

  it.each(left.packages)('serves $filename byte by byte', async (expected) => {
    const response = await server.download(expected.filename);
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect({ status: response.status, size: bytes.length, sha256: sha256(bytes) }).toEqual({
      status: 200,
      size: expected.size,
      sha256: expected.sha256,
    });
  });

  it('still knows what was fetched from the peer, and what was removed', async () => {
    const Two = z.object({
      fetched: z.object({ replicas: z.array(z.object({ local: z.boolean(), state: z.string() })) }),
      removed: z.object({ filename: z.string(), state: z.string() }),
    });
    const query = `query ($fetched: ID!, $removed: ID!) {
      fetched: package(id: $fetched) { replicas { local state } }
      removed: package(id: $removed) { filename state }
    }`;
    const known = await admin.ask(query, Two, { fetched: left.fetchedFromPeer, removed: left.removed.id });
    expect(known.fetched.replicas).toContainEqual({ local: true, state: 'PUBLISHED' });
    expect(known.removed).toEqual({ filename: left.removed.filename, state: 'REMOVED' });
    expect((await server.download(left.removed.filename)).status).toBe(404);
  });

  it('lets the account sign in with its password, and no other', async () => {
    const { username, password, roles, publishUpTo } = left.account;
    const theirs = await AdminClient.signIn(server.url, username, password);
    const Me = z.object({ me: z.record(z.string(), z.unknown()) });
    const { me } = await theirs.ask('{ me { username roles publishUpTo mustChangePassword } }', Me);
    expect(me).toEqual({ username, roles, publishUpTo, mustChangePassword: false });
    await expect(AdminClient.signIn(server.url, username, `${password}!`)).rejects.toThrow(server.url);
  });

  it('takes the API token, for a new upload, too', async () => {
    const bytes = Buffer.from('a package that was uploaded after the upgrade');
    const upload = await fetch(`${server.url}/api/packages/after.pkg?stage=Prod`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${left.token.token}` },
      body: bytes,
    });
    expect(upload.status).toBe(201);
    expect(await upload.json()).toMatchObject({ filename: 'after.pkg', sha256: sha256(bytes), stage: 'Prod' });
    expect(await server.servedDigest('after.pkg')).toBe(sha256(bytes));
  });

  it('goes on with the audit trail where it ended', async () => {
    const Trail = z.object({
      auditChain: z.object({ isUpToDate: z.boolean() }),
      auditTrail: z.object({
        edges: z.array(z.object({ node: z.object({ id: z.string(), kind: z.string(), recordedAt: z.string() }) })),
        pageInfo: z.object({ hasNextPage: z.boolean() }),
      }),
    });
    const query = `{
      auditChain { isUpToDate }
      auditTrail(first: 100) { edges { node { id kind recordedAt } } pageInfo { hasNextPage } }
    }`;
    await waitFor('the chain to be up to date', async () => (await admin.ask(query, Trail)).auditChain.isUpToDate);
    const { auditTrail } = await admin.ask(query, Trail);
    expect(auditTrail.pageInfo.hasNextPage).toBe(false);
    const oldestFirst = auditTrail.edges.map(({ node }) => node).toReversed();
    expect(oldestFirst.slice(0, left.auditEntries.length)).toEqual(left.auditEntries);
    expect(oldestFirst.length).toBeGreaterThan(left.auditEntries.length);
  });
});
