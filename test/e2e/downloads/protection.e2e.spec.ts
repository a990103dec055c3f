import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { registerPeers } from '../../../src/cli/demo/demo-steps.js';
import { findFreePort } from '../../../src/cli/demo/server-process.js';
import { hasNginx, Nginx } from '../../support/nginx/nginx.js';
import { ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const bytes = randomBytes(300_000);
const Protection = z.object({ setDownloadProtection: z.object({ generatedPassword: z.string().nullable() }) });
const Url = z.object({ createDownloadUrl: z.object({ url: z.string(), expiresAt: z.coerce.date() }) });
const Trail = z.object({
  auditTrail: z.object({
    edges: z.array(
      z.object({ node: z.object({ kind: z.string(), summary: z.string(), actor: z.object({ name: z.string() }) }) }),
    ),
  }),
});
const Addresses = z.object({
  auditTrail: z.object({ edges: z.array(z.object({ node: z.object({ address: z.string() }) })) }),
});
const basic = (username: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
});

/** The paths by which endpoints come: straight to the server, and through nginx. */
describe.each(hasNginx ? ['directly', 'through nginx'] : ['directly'])('downloads that are protected, %s', (way) => {
  let server: ServerUnderTest;
  let peer: ServerUnderTest;
  let nginx: Nginx | null = null;
  let base = '';
  let id = '';

  beforeAll(async () => {
    const folder = new ServerUnderTest('folder').dataDir;
    const port = await findFreePort(0);
    if (way !== 'directly') nginx = await Nginx.start({ ports: [port], dataDir: folder });
    const behind = nginx && {
      ODST_URL: nginx.url,
      ODST_ACCEL_REDIRECT: '/_odst/packages/',
      ODST_TRUSTED_PROXIES: 'loopback',
    };
    server = new ServerUnderTest('a', { ...behind }, folder);
    server.port = port;
    peer = new ServerUnderTest('b');
    await Promise.all([server.start(), peer.start()]);
    base = nginx?.url ?? server.url;
    await registerPeers(await peer.client(), await server.client());
    id = z.object({ id: z.string() }).parse(await (await server.put('Foo.pkg', bytes)).json()).id;
  });
  afterAll(async () => {
    await Promise.all([server.dispose(), peer.dispose()]);
    await nginx?.stop();
  });

  const ask = async <T>(query: string, shape: z.ZodType<T>, variables: object = {}): Promise<T> =>
    (await server.client()).ask(query, shape, variables);
  const get = (headers: Record<string, string> = {}, path = '/Packages/Foo.pkg') =>
    fetch(`${base}${path}`, { headers });
  const digestOf = async (response: Response) => sha256(new Uint8Array(await response.arrayBuffer()));
  const protect = async (mode: string, more = ''): Promise<string | null> =>
    (await ask(`mutation { setDownloadProtection(mode: ${mode} ${more}) { generatedPassword } }`, Protection))
      .setDownloadProtection.generatedPassword;

  it('are open to everybody unless an administrator says otherwise', async () => {
    const response = await get();
    expect([response.status, await digestOf(response)]).toEqual([200, sha256(bytes)]);
  });

  it('BASIC: the password or 401 with the challenge, ranges and conditions as ever', async () => {
    const password = (await protect('BASIC', 'username: "munki"')) ?? '';
    expect(password.length).toBeGreaterThan(15);
    // nginx remembers a decision from before for up to a second.
    await waitFor('the challenge', async () => (await get()).status === 401);
    const challenged = await get();
    expect(challenged.headers.get('www-authenticate')).toBe('Basic realm="Packages", charset="UTF-8"');
    expect(await challenged.json()).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect((await get({}, '/Packages/none.pkg')).status).toBe(401);
    for (const wrong of [
      basic('munki', 'x'),
      basic('other', password),
      { authorization: 'Basic !' },
      { authorization: 'Bearer x' },
    ]) {
      expect((await get(wrong)).status).toBe(401);
    }
    const right = basic('munki', password);
    const whole = await get(right);
    expect([whole.status, await digestOf(whole)]).toEqual([200, sha256(bytes)]);
    const part = await get({ ...right, range: 'bytes=100-199' });
    expect([part.status, part.headers.get('content-range'), await digestOf(part)]).toEqual([
      206,
      `bytes 100-199/${bytes.length}`,
      sha256(bytes.subarray(100, 200)),
    ]);
    expect((await get({ ...right, 'if-none-match': whole.headers.get('etag') ?? '' })).status).toBe(304);
    expect((await get(right, '/Packages/none.pkg')).status).toBe(404);
    expect((await get()).status).toBe(401);
  });

  it('BASIC: a new password counts at once, the old one no more', async () => {
    await protect('BASIC', 'username: "munki", password: "a password of mine"');
    expect((await get(basic('munki', 'a password of mine'))).status).toBe(200);
    await protect('BASIC', 'username: "munki", password: "another password"');
    expect((await get(basic('munki', 'a password of mine'))).status).toBe(401);
    expect(await protect('BASIC', 'username: "munki"')).toBeNull();
    expect((await get(basic('munki', 'another password'))).status).toBe(200);
  });

  it('NETWORK: only from the networks that are named', async () => {
    await protect('NETWORK', 'networks: ["10.0.0.0/8", "2001:db8::/32"]');
    const refused = await get();
    expect([refused.status, await refused.json()]).toMatchObject([403, { code: 'FORBIDDEN' }]);
    await protect('NETWORK', 'networks: ["10.0.0.0/8", "127.0.0.1"]');
    expect((await get()).status).toBe(200);
    // Nobody is believed who only says that they come from elsewhere.
    await protect('NETWORK', 'networks: ["10.0.0.0/8"]');
    expect((await get({ 'x-forwarded-for': '10.0.0.1' })).status).toBe(403);
  });

  it('SIGNED: the address as it was made, until it expires', async () => {
    await protect('SIGNED');
    expect((await get()).status).toBe(403);
    const create =
      'mutation ($id: String!, $s: Int!) { createDownloadUrl(packageId: $id, expiresInSeconds: $s) { url expiresAt } }';
    const { url, expiresAt } = (await ask(create, Url, { id, s: 600 })).createDownloadUrl;
    expect(url.startsWith(`${base}/packages/${id}/Foo.pkg?`)).toBe(true);
    expect(Math.abs(expiresAt.getTime() - Date.now() - 600_000)).toBeLessThan(60_000);
    const whole = await fetch(url);
    expect([whole.status, await digestOf(whole)]).toEqual([200, sha256(bytes)]);
    expect((await fetch(url, { headers: { range: 'bytes=-10' } })).status).toBe(206);
    const changed = [
      url.replace(/expires=\d/, 'expires=9'),
      `${url}x`,
      url.replace(
        id,
        id.replace(/^./, (c) => (c === 'a' ? 'b' : 'a')),
      ),
    ];
    for (const address of changed) expect((await fetch(address)).status).toBe(403);
    const short = (await ask(create, Url, { id, s: 1 })).createDownloadUrl.url;
    await waitFor('the end of the address', async () => (await fetch(short)).status === 403);
    expect(await (await fetch(short)).json()).toMatchObject({ code: 'DOWNLOAD_URL_EXPIRED' });
    for (const seconds of [0, -1, 604_801])
      await expect(ask(create, Url, { id, s: seconds })).rejects.toThrow(/from 1 to 604800/);
  });

  it('does not hold up other servers, and all of it is in the audit trail, without a secret', async () => {
    const more = randomBytes(1000);
    await server.put('More.pkg', more);
    await waitFor('the copy', async () => (await peer.servedDigest('More.pkg')) === sha256(more));
    const query =
      '{ auditTrail(first: 100, filter: { kinds: ["DownloadProtectionChanged", "DownloadUrlCreated", "DownloadRefused"] }) { edges { node { kind summary actor { name } } } } }';
    const entries = (await ask(query, Trail)).auditTrail.edges.map(({ node }) => node);
    expect(new Set(entries.map(({ kind }) => kind)).size).toBe(3);
    expect(entries.find(({ kind }) => kind === 'DownloadProtectionChanged')).toMatchObject({
      actor: { name: 'admin' },
      summary: expect.stringContaining('Downloads are for'),
    });
    expect(JSON.stringify(entries)).not.toMatch(/another password|signature=/);
  });
});

describe('downloads for networks, behind a proxy that names callers in many ways', () => {
  const server = new ServerUnderTest('proxied', { ODST_TRUSTED_PROXIES: 'loopback' });
  beforeAll(() => server.start());
  afterAll(() => server.dispose());

  it('are not allowed because the proxy itself is', async () => {
    await server.put('Foo.pkg', bytes);
    const client = await server.client();
    const protect = `mutation { setDownloadProtection(mode: NETWORK, networks: ["127.0.0.0/8", "203.0.113.9"])
      { generatedPassword } }`;
    await client.ask(protect, Protection);
    const statusWith = async (headers: Record<string, string>) =>
      (await fetch(`${server.url}/Packages/Foo.pkg`, { headers })).status;
    for (const known of ['203.0.113.9:51234', '"203.0.113.9"', '127.0.0.1:80'])
      expect(await statusWith({ 'x-forwarded-for': known })).toBe(200);
    for (const other of ['198.51.100.7:51234', 'unknown', '', '127.0.0.1, unknown', '"127.0.0.1'])
      expect(await statusWith({ 'x-forwarded-for': other })).toBe(403);
    expect(await statusWith({ forwarded: 'for=198.51.100.7' })).toBe(403);
    const query = '{ auditTrail(first: 9, filter: { kinds: ["DownloadRefused"] }) { edges { node { address } } } }';
    const addresses = async () =>
      (await client.ask(query, Addresses)).auditTrail.edges.map(({ node }) => node.address).toSorted();
    await waitFor('all refusals', async () => (await addresses()).length === 6);
    expect(await addresses()).toEqual(['198.51.100.7', '198.51.100.7', ...Array(4).fill('unknown')]);
  });

  it('BASIC: the right password and a token are let in after a restart, in the midst of wrong ones', async () => {
    await (
      await server.client()
    ).ask(
      'mutation { setDownloadProtection(mode: BASIC, username: "munki", password: "the right password") { generatedPassword } }',
      Protection,
    );
    await server.stop();
    await server.start();
    const statusOf = async (path: string, headers: Record<string, string>) => {
      const reply = await fetch(`${server.url}${path}`, { headers: { 'x-forwarded-for': '203.0.113.9', ...headers } });
      await reply.arrayBuffer();
      return reply.status;
    };
    const download = (password: string) => statusOf('/Packages/Foo.pkg', basic('munki', password));
    const call = (token: string) => statusOf('/api/packages/Foo.pkg', { authorization: `Bearer ${token}` });
    const { token } = await server.client();
    const wrong = Array.from({ length: 120 }, (_, i) => Promise.all([download(`wrong ${i}`), call(`wrong${i}`)]));
    for (let i = 0; i < 8; i += 1)
      expect([await download('the right password'), await call(token)]).toEqual([200, 200]);
    const refused = new Set((await Promise.all(wrong)).flat());
    expect([...refused].filter((status) => status !== 401 && status !== 429)).toEqual([]);
    for (let i = 0; i < 8; i += 1)
      expect([await download('the right password'), await call(token)]).toEqual([200, 200]);
  });
});
