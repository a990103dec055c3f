import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sendRaw } from '../../support/fuzz/raw-http.js';
import { ask, bearer, inDatabase, listen, OWN_PASSWORD, signIn, somebody } from '../../support/people.js';
import { PASSWORD, ServerUnderTest, sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

let server: ServerUnderTest;
let admin: Record<string, string>;
beforeAll(async () => {
  server = await new ServerUnderTest('sessions').start();
  admin = bearer((await server.client()).token);
});
afterAll(() => server.dispose());

const Sessions = z.object({ sessions: z.array(z.object({ id: z.string(), current: z.boolean() })) });

describe('an upload beyond the limit of its stage', () => {
  const disposition = 'Content-Disposition: form-data;';
  const file = `--b\r\n${disposition} name="file"; filename="beyond.pkg"\r\n\r\nfirst bytes`;
  const field = (stage: string) => `--b\r\n${disposition} name="stage"\r\n\r\n${stage}\r\n`;
  const PLACES = {
    'the default of the server': ['POST', '', file],
    'the query of a form': ['POST', '?stage=Test', file],
    'the part before the file': ['POST', '', `${field('Test')}${file}`],
    'the part before the file, against the query': ['POST', '?stage=Dev', `${field('Prod')}${file}`],
    'the default, without a form': ['PUT', '/beyond.pkg', ''],
    'the query, without a form': ['PUT', '/beyond.pkg?stage=Prod', ''],
  } as const;
  let tokens: Record<string, string>[] = [];

  beforeAll(async () => {
    const me = await somebody(server, 'limited', ['publisher'], 'Dev');
    const boss = await somebody(server, 'unlimited', ['publisher'], 'Prod');
    const Made = z.object({ createApiToken: z.object({ token: z.string() }) });
    const make = 'mutation { createApiToken(name: "CI", scopes: [upload], publishUpTo: Dev) { token } }';
    const { createApiToken } = Made.parse((await ask(server, boss.headers, make)).data);
    tokens = [me.headers, bearer(createApiToken.token)];
  });

  it.each(Object.entries(PLACES))('is refused before its bytes: %s', async (_, [method, path, begin]) => {
    for (const headers of tokens) {
      const head = [
        `${method} /api/packages${path} HTTP/1.1`,
        'Host: a',
        `Authorization: ${headers['authorization']}`,
        ...(method === 'POST' ? ['Content-Type: multipart/form-data; boundary=b'] : []),
        'Content-Length: 50000000',
      ].join('\r\n');
      // The other bytes of the file are never sent.
      const answer = await sendRaw(server.port, `${head}\r\n\r\n${begin}`);
      expect([answer?.status, answer?.headers.get('connection')]).toEqual([403, 'close']);
      expect(answer?.body.toString()).toContain('"code":"FORBIDDEN"');
    }
  });

  it('is none when the part before the file names a stage within the limit', async () => {
    for (const headers of tokens) {
      const form = new FormData();
      form.append('stage', 'Dev');
      form.append('file', new Blob([headers['authorization'] ?? '']), `within${tokens.indexOf(headers)}.pkg`);
      const reply = await fetch(`${server.url}/api/packages?stage=Test`, { method: 'POST', headers, body: form });
      expect(reply.status).toBe(201);
    }
  });
});

describe('sessions', () => {
  it('are listed with their place, and closed one by one or all at once', async () => {
    const me = await somebody(server, 'lister', ['viewer']);
    const [second, third] = [
      await signIn(server, 'lister', OWN_PASSWORD),
      await signIn(server, 'lister', OWN_PASSWORD),
    ];
    const { sessions } = Sessions.parse(
      (await ask(server, bearer(second), '{ sessions { id current address userAgent lastSeenAt } }')).data,
    );
    expect(sessions.map(({ current }) => current).toSorted()).toEqual([false, false, true]);
    const own = sessions.find(({ current }) => current)?.id;
    expect((await ask(server, me.headers, `mutation { revokeSession(id: "${own}") }`)).data).toEqual({
      revokeSession: true,
    });
    expect((await ask(server, bearer(second), '{ me { id } }')).status).toBe(401);
    expect((await ask(server, me.headers, 'mutation { revokeAllSessions }')).data).toEqual({ revokeAllSessions: 1 });
    expect((await ask(server, bearer(third), '{ me { id } }')).status).toBe(401);
    expect((await ask(server, me.headers, '{ me { username } }')).data).toEqual({ me: { username: 'lister' } });
  });

  it('of others are closed by administrators only', async () => {
    const me = await somebody(server, 'mine', ['viewer']);
    const other = await somebody(server, 'other', ['viewer']);
    const {
      sessions: [session],
    } = Sessions.parse((await ask(server, me.headers, '{ sessions { id current } }')).data);
    const revoke = `mutation { revokeSession(id: "${session?.id}") }`;
    expect((await ask(server, other.headers, revoke)).code).toBe('SESSION_NOT_FOUND');
    expect((await ask(server, admin, revoke)).code).toBeNull();
    expect((await ask(server, me.headers, '{ me { id } }')).status).toBe(401);
  });

  it('end with a new password, but for the one that changed it', async () => {
    const me = await somebody(server, 'changer', ['viewer']);
    const other = await signIn(server, 'changer', OWN_PASSWORD);
    await ask(server, me.headers, `mutation { changePassword(current: "${OWN_PASSWORD}", new: "quite another one") }`);
    expect((await ask(server, bearer(other), '{ me { id } }')).status).toBe(401);
    expect((await ask(server, me.headers, '{ me { id } }')).code).toBeNull();
  });
});

describe('a browser', () => {
  const own = (): Record<string, string> => ({
    origin: server.url,
    'sec-fetch-site': 'same-origin',
    'x-odst-csrf': '1',
  });
  const SIGN_IN = `mutation { signIn(username: "admin", password: "${PASSWORD}", cookie: true) { token } }`;

  async function cookie(): Promise<string> {
    const { response, data } = await ask(server, own(), SIGN_IN);
    expect(data).toEqual({ signIn: { token: null } });
    const set = response.headers.get('set-cookie') ?? '';
    expect(set).toMatch(/^odst=[\w-]{43}; Path=\/; Max-Age=43\d\d\d; HttpOnly; SameSite=Strict$/);
    return set.split(';', 1)[0] ?? '';
  }

  it('is signed in by its cookie, and signed out', async () => {
    const headers = { ...own(), cookie: await cookie() };
    expect((await ask(server, headers, '{ me { username } }')).data).toEqual({ me: { username: 'admin' } });
    const put = await fetch(`${server.url}/api/packages/browser.pkg`, {
      method: 'PUT',
      headers,
      body: 'from a browser',
    });
    expect(put.status).toBe(201);
    const { response } = await ask(server, headers, 'mutation { signOut }');
    expect(response.headers.get('set-cookie')).toContain('Max-Age=0');
    expect((await ask(server, headers, '{ me { id } }')).status).toBe(401);
  });

  it.each([
    ['without the header', { 'x-odst-csrf': '' }],
    ['from another site', { 'sec-fetch-site': 'cross-site' }],
    ['from another host of the same site', { 'sec-fetch-site': 'same-site' }],
    ['with the origin of another site', { origin: 'https://evil.example' }],
    ['with an opaque origin', { origin: 'null' }],
  ])('is not used by a page %s', async (_, change) => {
    const headers = { ...own(), cookie: await cookie(), ...change };
    expect(await ask(server, headers, '{ me { id } }')).toMatchObject({ status: 403, code: 'CROSS_SITE_CALL' });
    const put = await fetch(`${server.url}/api/packages/evil.pkg`, { method: 'PUT', headers, body: 'evil' });
    expect([put.status, await put.json()]).toMatchObject([403, { code: 'CROSS_SITE_CALL' }]);
    expect((await ask(server, { ...own(), ...change }, SIGN_IN)).code).toBe('CROSS_SITE_CALL');
    // A program says who it is in each call.
    expect((await ask(server, { ...headers, ...admin }, '{ me { id } }')).code).toBeNull();
  });

  it('subscribes with its cookie from a page of this server only', async () => {
    const session = await cookie();
    const subscribe = (headers: Record<string, string>) =>
      listen(server, 'subscription { peerChanged { id } }', {}, { cookie: session, ...headers });
    const good = subscribe({ origin: server.url });
    await waitFor('the connection', () => good.opened);
    const elsewhere: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      {},
      { origin: server.url, 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of elsewhere) {
      const bad = subscribe(headers);
      await waitFor('the end', () => bad.ended);
      expect([bad.ended?.code, bad.opened]).toEqual([4401, false]);
    }
    expect(good.ended).toBeNull();
    await ask(server, { ...own(), cookie: session }, 'mutation { signOut }');
    await waitFor('the end', () => good.ended);
  });

  it('gets a Secure cookie that only this host can set, where the server is reached by https', async () => {
    const behind = await new ServerUnderTest('secure', { ODST_URL: 'https://ods.example' }).start();
    try {
      const headers = { origin: 'https://ods.example', 'x-odst-csrf': '1' };
      const { response } = await ask(behind, headers, SIGN_IN);
      const set = response.headers.get('set-cookie') ?? '';
      expect(set).toMatch(/^__Host-odst=.*; Path=\/; .*HttpOnly; SameSite=Strict; Secure$/);
      const token = set.split(';', 1)[0] ?? '';
      expect((await ask(behind, { ...headers, cookie: token }, '{ me { username } }')).data).toEqual({
        me: { username: 'admin' },
      });
      expect(
        (await ask(behind, { ...headers, cookie: token.replace('__Host-', '') }, '{ me { username } }')).status,
      ).toBe(401);
    } finally {
      await behind.dispose();
    }
  });
});

describe('a subscription', () => {
  const QUERY = 'subscription { packageChanged { filename } }';
  const open = async (headers: Record<string, string>) => {
    const heard = listen(server, QUERY, { Authorization: headers['authorization'] });
    await waitFor('the connection', () => heard.opened);
    return heard;
  };

  it('states its need like any call', async () => {
    const me = await somebody(server, 'curious', ['viewer']);
    const heard = listen(server, 'subscription { auditRecorded { kind } }', {
      Authorization: me.headers['authorization'],
    });
    await waitFor('the refusal', () => heard.ended);
    expect(JSON.stringify([heard.values, heard.ended])).toContain('FORBIDDEN');
  });

  it('ends when the account is disabled', async () => {
    const me = await somebody(server, 'disabled', ['viewer']);
    const heard = await open(me.headers);
    await ask(server, admin, `mutation { disableAccount(id: "${me.id}") { id } }`);
    await waitFor('the end', () => heard.ended);
    expect(heard.ended?.code).toBe(4401);
  });

  it('ends when a permission is lost, and goes on when one is added', async () => {
    const me = await somebody(server, 'demoted', ['viewer', 'auditor']);
    const heard = await open(me.headers);
    const roles = (list: string) =>
      ask(server, admin, `mutation { updateAccount(id: "${me.id}", roles: [${list}]) { roles } }`);
    await roles('viewer, auditor, operator');
    expect((await ask(server, me.headers, 'mutation { suspendPeer(id: "none") { id } }')).code).toBe('PEER_NOT_FOUND');
    expect(heard.ended).toBeNull();
    await roles('viewer');
    await waitFor('the end', () => heard.ended);
    expect(heard.ended?.code).toBe(4403);
  });
});

describe('an upload', () => {
  /** A PUT whose last byte waits until `meanwhile` has happened. */
  async function slowPut(filename: string, headers: Record<string, string>, meanwhile: () => Promise<unknown>) {
    const all = { ...headers, 'content-length': '10', expect: '100-continue' };
    const call = request(`${server.url}/api/packages/${filename}`, { method: 'PUT', headers: all });
    const answered = new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      call.on('error', reject).on('response', (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
      });
    });
    // Told when the body begins to be read, which is after the session was looked at.
    const begun = once(call, 'continue');
    call.flushHeaders();
    await begun;
    call.write('123456789');
    await meanwhile();
    call.end('0');
    return answered;
  }

  it('goes on when the session expires meanwhile', async () => {
    const me = await somebody(server, 'uploader', ['publisher'], 'Prod');
    const expire = () =>
      inDatabase(server, `UPDATE state.sessions SET expires_at = now() WHERE account_id = '${me.id}'`);
    expect((await slowPut('slow.pkg', me.headers, expire)).status).toBe(201);
    expect(await server.servedDigest('slow.pkg')).toBe(sha256(Buffer.from('1234567890')));
    await waitFor(
      'the session to be refused',
      async () => (await ask(server, me.headers, '{ me { id } }')).status === 401,
    );
  });

  it('is not published when the account was disabled meanwhile', async () => {
    const me = await somebody(server, 'thrown.out', ['publisher'], 'Prod');
    const disable = () => ask(server, admin, `mutation { disableAccount(id: "${me.id}") { id } }`);
    expect(await slowPut('rogue.pkg', me.headers, disable)).toMatchObject({
      status: 401,
      body: expect.stringContaining('UNAUTHENTICATED'),
    });
    expect((await server.download('rogue.pkg')).status).toBe(404);
  });
});
