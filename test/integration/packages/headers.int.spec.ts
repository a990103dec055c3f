import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { API_HEADERS, DOWNLOAD_HEADERS } from '../../../src/platform/http/security-headers.js';
import { startPackageApp, type PackageApp } from '../../support/package-app.js';

let direct: PackageApp;
let proxied: PackageApp;
beforeAll(async () => {
  direct = await startPackageApp();
  proxied = await startPackageApp({ accelRedirect: null }, { trustedProxies: ['loopback'], hstsSeconds: 60 });
  for (const app of [direct, proxied])
    await fetch(`${app.url}/api/packages/a.html`, { method: 'PUT', body: '<script>alert(1)</script>' });
});
afterAll(() => Promise.all([direct.stop(), proxied.stop()]));

const ask = async (path: string, method = 'GET', headers: Record<string, string> = {}) => {
  const reply = await fetch(`${direct.url}${path}`, { method, headers, ...(method === 'PUT' && { body: 'x' }) });
  return { status: reply.status, headers: Object.fromEntries(reply.headers) };
};
const lower = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

describe('the headers', () => {
  it.each<[string, string, Record<string, string>, number]>([
    ['GET', '/Packages/a.html', {}, 200],
    ['HEAD', '/share/a.html', {}, 200],
    ['GET', '/Packages/a.html', { Range: 'bytes=0-1' }, 206],
    ['GET', '/Packages/a.html', { Range: 'bytes=0-1,4-5' }, 206],
    ['GET', '/Packages/a.html', { 'If-None-Match': '*' }, 304],
  ])('of a download: %s %s %j', async (method, path, given, status) => {
    const answer = await ask(path, method, given);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject(lower(DOWNLOAD_HEADERS));
    expect(answer.headers).not.toHaveProperty('x-powered-by');
  });

  it.each<[string, string, Record<string, string>, number]>([
    ['PUT', '/api/packages/b.pkg', {}, 201],
    ['PUT', '/api/packages/%ff', {}, 400],
    ['PUT', '/api/packages/b.pkg?stage=Live', {}, 400],
    ['GET', '/Packages/none', {}, 404],
    ['DELETE', '/Packages/a.html', {}, 405],
    ['GET', '/Packages/a.html', { 'If-Match': '"x"' }, 412],
    ['GET', '/Packages/a.html', { Range: 'bytes=999-' }, 416],
    ['GET', '/nothing', {}, 404],
    ['GET', '/%ff', {}, 404],
    ['OPTIONS', '/api/packages', {}, 405],
  ])('of anything else: %s %s %j', async (method, path, given, status) => {
    const answer = await ask(path, method, given);
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject(lower(API_HEADERS));
    expect(answer.headers).not.toHaveProperty('x-powered-by');
  });
});

describe('Strict-Transport-Security', () => {
  const of = async (app: PackageApp, path: string, headers: Record<string, string>) =>
    (await fetch(`${app.url}${path}`, { headers })).headers.get('strict-transport-security');

  it.each(['/Packages/a.html', '/Packages/none', '/nothing'])('is told to who came by https, of %s', async (path) => {
    const https = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' };
    expect(await of(proxied, path, https)).toBe('max-age=60');
    expect(await of(proxied, path, { ...https, 'x-forwarded-proto': 'http' })).toBeNull();
    expect(await of(proxied, path, {})).toBeNull();
    // Anybody can say so; only a trusted proxy is believed.
    expect(await of(direct, path, https)).toBeNull();
  });
});
