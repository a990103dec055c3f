import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { request as requestTls, type RequestOptions } from 'node:https';
import { text } from 'node:stream/consumers';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DeleteRemovedFile } from '../../../src/modules/packages/lifecycle/delete-removed-file.reaction.js';
import { RemovePackage } from '../../../src/modules/packages/lifecycle/change-package.command.js';
import { Nginx } from '../../support/nginx/nginx.js';
import { describeWithNginx } from '../../support/nginx/with-nginx.js';
import { startPackageApp, type PackageApp } from '../../support/package-app.js';
import { tlsFile } from '../../support/tls/certificates.js';
import { waitFor } from '../../support/wait-for.js';

const PREFIX = '/_odst/packages/';
const content = Buffer.from('0123456789');

let app: PackageApp;
let nginx: Nginx;

const upload = async (filename: string, body: Buffer): Promise<string> => {
  const reply = await fetch(`${nginx.url}/api/packages/${encodeURIComponent(filename)}`, {
    method: 'PUT',
    body: new Uint8Array(body),
  });
  return z.object({ id: z.string() }).parse(await reply.json()).id;
};
const ask = (base: string, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
  fetch(`${base}${path}`, { headers, method });
/** As nginx asks. */
const decide = (headers: Record<string, string> = {}, method = 'GET') =>
  ask(app.url, '/Packages/small.dmg', { 'X-Odst-Accel': '1', ...headers }, method);

describeWithNginx('downloads through nginx', () => {
  let id = '';
  let etag = '';

  beforeAll(async () => {
    app = await startPackageApp({ accelRedirect: PREFIX }, { trustedProxies: ['loopback'] });
    nginx = await Nginx.start({ ports: [app.port], dataDir: app.dataDir });
    id = await upload('small.dmg', content);
    etag = (await ask(nginx.url, '/Packages/small.dmg')).headers.get('etag') ?? '';
  });
  afterAll(async () => {
    await nginx.stop();
    await app.stop();
  });

  describe('the app’s part', () => {
    it('is the decision, without a body', async () => {
      const reply = await decide();
      expect([reply.status, await reply.text()]).toEqual([200, '']);
      expect(Object.fromEntries(reply.headers)).toMatchObject({
        'x-accel-redirect': `${PREFIX}${id}`,
        etag,
        'content-type': 'application/x-apple-diskimage',
        'content-length': '0',
      });
    });

    it('is all of it for a caller that is no trusted proxy', async () => {
      const open = await startPackageApp({ accelRedirect: PREFIX }, { trustedProxies: ['192.0.2.1'] });
      try {
        await fetch(`${open.url}/api/packages/small.dmg`, { method: 'PUT', body: new Uint8Array(content) });
        const reply = await ask(open.url, '/Packages/small.dmg', { 'X-Odst-Accel': '1' });
        expect([reply.headers.get('x-accel-redirect'), await reply.text()]).toEqual([null, String(content)]);
      } finally {
        await open.stop();
      }
    });

    it('leaves a plain range to nginx, and says when a range does not count', async () => {
      const location = async (headers: Record<string, string>): Promise<string | null> =>
        (await decide(headers)).headers.get('x-accel-redirect');
      expect(await location({ Range: 'bytes=2-3' })).toBe(`${PREFIX}${id}`);
      expect(await location({ Range: 'bytes=2-3', 'If-Range': etag })).toBe(`${PREFIX}${id}`);
      expect(await location({ Range: 'bytes=2-3', 'If-Range': '"other"' })).toBe(`${PREFIX}whole/${id}`);
      expect(await location({ Range: 'bytes=3-2' })).toBe(`${PREFIX}whole/${id}`);
    });

    it.each([
      [{ Range: 'bytes=0-0,5-5' }, 206],
      [{ Range: 'bytes=10-' }, 416],
      [{ 'If-Match': '*' }, 200],
      [{ 'If-Unmodified-Since': 'Thu, 01 Jan 2099 00:00:00 GMT' }, 412],
      [{ 'If-None-Match': '*' }, 304],
      [{ 'X-Odst-Accel': '' }, 200],
    ])('is all of it for %j', async (headers, status) => {
      const reply = await decide({ ...headers });
      expect([reply.status, reply.headers.get('x-accel-redirect')]).toEqual([status, null]);
    });

    it('is all of it for HEAD', async () => {
      const reply = await decide({}, 'HEAD');
      expect([reply.headers.get('content-length'), reply.headers.get('x-accel-redirect')]).toEqual(['10', null]);
    });
  });

  it.each([
    [{}, 200],
    [{ Range: 'bytes=0-1' }, 206],
    [{ Range: 'bytes=-1', 'If-Range': '"other"' }, 200],
    [{ Range: 'bytes=0-1', 'If-None-Match': '"other"' }, 206],
    [{ Range: 'bytes=0-1', 'If-None-Match': '"other"', 'If-Range': '"other"' }, 200],
    [{ 'If-Modified-Since': 'Thu, 01 Jan 2015 00:00:00 GMT' }, 200],
    [{ Range: 'lines=1-2' }, 200],
  ])('is sent by nginx for %j', async (headers, status) => {
    const asked: unknown[] = [];
    const note = (request: IncomingMessage): number => asked.push(request.headers['x-odst-accel']);
    app.server.on('request', note);
    const reply = await ask(nginx.url, '/Packages/small.dmg', { ...headers });
    app.server.off('request', note);
    expect([reply.status, (await reply.text()).length]).toEqual([status, status === 206 ? 2 : 10]);
    // Whenever nginx wants the app to send, it says so by leaving this out.
    expect(asked.filter((accel) => accel !== '1')).toEqual([]);
    expect(nginx.log).toBe('');
  });

  it('is not fooled by clients that claim to be a proxy', async () => {
    const reply = await ask(nginx.url, '/Packages/small.dmg', { 'X-Odst-Accel': '1', 'If-Match': etag });
    expect([await reply.text(), reply.headers.get('x-accel-redirect')]).toEqual(['0123456789', null]);
  });

  it('keeps its inner locations to itself', async () => {
    for (const path of [`${PREFIX}${id}`, `${PREFIX}whole/${id}`, '/_odst/decision']) {
      const reply = await ask(nginx.url, path);
      expect([403, 404]).toContain(reply.status);
      expect(await reply.text()).not.toContain('0123456789');
    }
  });

  it('gives each header once', async () => {
    for (const headers of [{}, { Range: 'bytes=0-1' }, { Range: 'bytes=3-2' }, { 'If-None-Match': '"a"' }]) {
      const asking = request(`${nginx.url}/Packages/small.dmg`, { headers }).end();
      const [{ rawHeaders }] = z
        .tuple([z.object({ rawHeaders: z.array(z.string()), resume: z.any() })])
        .parse(await once(asking, 'response'));
      const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
      expect([headers, names]).toEqual([headers, [...new Set(names)]]);
      expect(names).toEqual(
        expect.arrayContaining(['etag', 'last-modified', 'repr-digest', 'cache-control', 'content-type']),
      );
      asking.destroy();
    }
  });

  it('has the security headers of the app, whoever sends the file', async () => {
    const names = [
      'content-security-policy',
      'cross-origin-resource-policy',
      'referrer-policy',
      'x-content-type-options',
      'x-frame-options',
    ];
    const of = (reply: Response) => names.map((name) => reply.headers.get(name));
    const wanted = of(await ask(app.url, '/Packages/small.dmg'));
    expect(wanted).not.toContain(null);
    const asked: Record<string, string>[] = [
      {},
      { Range: 'bytes=0-1' },
      { Range: 'bytes=3-2' },
      { 'If-None-Match': '"a"' },
      { Range: 'bytes=0-0,5-5' },
      { 'If-None-Match': etag },
    ];
    for (const headers of asked) {
      expect([headers, of(await ask(nginx.url, '/Packages/small.dmg', headers))]).toEqual([headers, wanted]);
    }
    for (const path of ['/Packages/none', '/nothing', '/health/live', `${PREFIX}${id}`]) {
      expect([path, of(await ask(nginx.url, path))]).toEqual([path, of(await ask(app.url, path))]);
    }
  });

  it.each([
    ['a long address', `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
    ['long headers', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(70_000)}\r\n\r\n`],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['no HTTP', 'some words\r\n\r\n'],
  ])('tells who sends %s so, in the shape of all errors', async (_, bytes) => {
    const socket = connect(nginx.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => (answer += String(data))).on('error', () => undefined);
    socket.write(bytes);
    await waitFor('the answer', () => answer.includes('}'));
    socket.destroy();
    expect(answer).toContain('"code":"INVALID_REQUEST"');
    expect(answer).toContain("Content-Security-Policy: default-src 'none'");
  });

  it.each(['with space.pkg', 'größe & co.pkg', '100%.pkg', 'a+b;c=d?.pkg', '#1.pkg', 'ア.pkg'])(
    'serves %s',
    async (filename) => {
      const bytes = randomBytes(1000);
      await upload(filename, bytes);
      const reply = await ask(nginx.url, `/Packages/${encodeURIComponent(filename)}`);
      expect(reply.status).toBe(200);
      expect(Buffer.from(await reply.arrayBuffer()).equals(bytes)).toBe(true);
    },
  );

  it('serves the newest content of a name, a moment later at most', async () => {
    await upload('new.pkg', Buffer.from('one'));
    expect(await (await ask(nginx.url, '/Packages/new.pkg')).text()).toBe('one');
    await upload('new.pkg', Buffer.from('two'));
    await waitFor(
      'the new content',
      async () => (await (await ask(nginx.url, '/Packages/new.pkg')).text()) === 'two',
      10_000,
    );
  });

  it('serves no package that was removed, a moment later at most', async () => {
    const doomed = await upload('doomed.pkg', randomBytes(100_000));
    expect((await ask(nginx.url, '/Packages/doomed.pkg')).status).toBe(200);
    await app.commands.execute(new RemovePackage(doomed));
    await app.commands.execute(new DeleteRemovedFile(doomed));
    await app.changes.reflect();
    await waitFor(
      'the removal to show',
      async () => (await ask(nginx.url, '/Packages/doomed.pkg')).status === 404,
      10_000,
    );
  });

  it('asks the app when the file is not there', async () => {
    const lost = await upload('lost.pkg', Buffer.from('lost'));
    await app.storage.removeStored(lost);
    const reply = await ask(nginx.url, '/Packages/lost.pkg');
    expect(reply.status).toBe(503);
    expect(await reply.json()).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('lets the app send what nginx cannot see', async () => {
    const hidden = await upload('hidden.pkg', Buffer.from('hidden'));
    // The app has it open, as with a folder that nginx does not share.
    await (await ask(app.url, '/Packages/hidden.pkg')).text();
    await rm(join(app.dataDir, 'packages', hidden));
    const reply = await ask(nginx.url, '/Packages/hidden.pkg');
    expect([reply.status, await reply.text()]).toEqual([200, 'hidden']);
  });
});

describeWithNginx('nginx before an app that is away', () => {
  it('says so in the shape of all errors', async () => {
    const front = await Nginx.start({ ports: [1], dataDir: '/nonexistent' });
    for (const path of ['/health/live', '/Packages/a.pkg', '/graphql']) {
      const reply = await ask(front.url, path);
      expect([path, reply.status]).toEqual([path, 503]);
      expect(await reply.json()).toMatchObject({ code: 'UNAVAILABLE' });
      expect(reply.headers.get('content-security-policy')).toMatch(/default-src 'none'/);
      expect(reply.headers.get('retry-after')).toBe('5');
    }
    await front.stop();
  });
});

describeWithNginx('nginx before an app that sends everything itself', () => {
  it('passes it on', async () => {
    const plain = await startPackageApp();
    const front = await Nginx.start({ ports: [plain.port], dataDir: '/nonexistent' });
    const bytes = randomBytes(2_000_000);
    await fetch(`${front.url}/api/packages/big.pkg`, { method: 'PUT', body: new Uint8Array(bytes) });
    for (const range of ['', 'bytes=0-1999999']) {
      const reply = await ask(front.url, '/Packages/big.pkg', { Range: range });
      expect(Buffer.from(await reply.arrayBuffer()).equals(bytes)).toBe(true);
    }
    expect(front.buffered).toEqual([]);
    await front.stop();
    await plain.stop();
  });
});

describeWithNginx('nginx on the machine of the server, with the configuration for one machine', () => {
  let machine: Nginx;
  beforeAll(async () => {
    app = await startPackageApp({ accelRedirect: PREFIX }, { trustedProxies: ['loopback'] });
    machine = await Nginx.start({ ports: [app.port], dataDir: app.dataDir }, 'nginx-one-machine.conf');
  });
  afterAll(async () => {
    await machine.stop();
    await app.stop();
  });

  async function call(path: string, options: RequestOptions = {}, body?: Buffer) {
    const sent = requestTls(`${machine.url}${path}`, {
      ...options,
      agent: false,
      ca: readFileSync(tlsFile('localhost.crt')),
      checkServerIdentity: () => undefined,
    });
    sent.end(body);
    const [response]: [IncomingMessage] = (await once(sent, 'response')) as [IncomingMessage];
    const { statusCode, headers } = response;
    return { statusCode, headers, text: await text(response) };
  }

  it('ends TLS, sends the files and says so, and asks the app for everything else', async () => {
    expect((await call('/api/packages/small.dmg', { method: 'PUT' }, content)).statusCode).toBe(201);
    const whole = await call('/Packages/small.dmg');
    expect(whole).toMatchObject({ statusCode: 200, text: String(content) });
    expect(whole.headers).toMatchObject({
      'odst-sent-by': 'nginx',
      'content-type': 'application/x-apple-diskimage',
      'strict-transport-security': 'max-age=15552000',
    });
    const part = await call('/Packages/small.dmg', { headers: { Range: 'bytes=2-3' } });
    expect(part).toMatchObject({
      statusCode: 206,
      text: '23',
      headers: { 'odst-sent-by': 'nginx', etag: whole.headers.etag },
    });
    const unchanged = await call('/Packages/small.dmg', { headers: { 'If-None-Match': whole.headers.etag } });
    expect([unchanged.statusCode, unchanged.headers['odst-sent-by']]).toEqual([304, undefined]);
    expect(JSON.parse((await call('/Packages/other.dmg')).text)).toMatchObject({ code: 'PACKAGE_NOT_FOUND' });
    expect(machine.log).not.toMatch(/\[(error|crit|alert|emerg)\]/);
  });
});
