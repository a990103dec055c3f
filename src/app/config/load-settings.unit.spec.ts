import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StartupError } from '../../kernel/startup-error.js';
import { loadSettings } from './load-settings.js';

const messageOf = (env: Record<string, string>): string => {
  try {
    loadSettings(env);
    return '';
  } catch (error) {
    expect(error).toBeInstanceOf(StartupError);
    return error instanceof Error ? error.message : '';
  }
};

describe('loadSettings', () => {
  it('runs on nothing', () => {
    expect(loadSettings({})).toMatchObject({ port: 8080, url: null, stage: null, adminPassword: null, databaseUrl: null });
  });

  it('takes empty variables for unset ones', () => {
    expect(loadSettings({ PORT: ' ', ODST_NAME: '' })).toMatchObject({ port: 8080, name: null });
  });

  it.each(['0', '65536', '-1', '80a', '8080.5', '1e3'])('refuses PORT %s in one line', (port) => {
    expect(messageOf({ PORT: port })).toMatch(/^PORT must be [^\n]+$/);
  });

  it.each(['http://', 'example.org', 'ftp://x', 'http://u:p@x', 'http://x/?q=1'])('refuses ODST_URL %s', (url) => {
    expect(messageOf({ ODST_URL: url })).toMatch(/^ODST_URL must be/);
  });

  it('cuts slashes off the end of ODST_URL', () => {
    expect(loadSettings({ ODST_URL: 'https://ods.example.org/base//' }).url).toBe('https://ods.example.org/base');
  });

  it('refuses misspelt variables', () => {
    expect(messageOf({ ODST_STGE: 'Dev' })).toContain('ODST_STGE is not a setting');
  });

  it('takes proxies and the location of nginx', () => {
    expect(loadSettings({})).toMatchObject({ trustedProxies: [], accelRedirect: null });
    const env = { ODST_TRUSTED_PROXIES: 'loopback, 10.0.0.0/8', ODST_ACCEL_REDIRECT: '/_odst/packages/' };
    expect(loadSettings(env)).toMatchObject({ trustedProxies: ['loopback', '10.0.0.0/8'], accelRedirect: '/_odst/packages/' });
    for (const wrong of ['proxy', 'true', '10.0.0.0/33']) expect(messageOf({ ODST_TRUSTED_PROXIES: wrong })).toMatch(/^ODST_TRUSTED_PROXIES must be/);
    for (const wrong of ['packages/', '/packages', '/', '/a b/']) expect(messageOf({ ODST_ACCEL_REDIRECT: wrong })).toMatch(/^ODST_ACCEL_REDIRECT must be/);
  });

  it.each([['0s', 0], ['90s', 90_000], ['15m', 900_000], ['30d', 2_592_000_000]])('takes %s for the grace time', (text, ms) => {
    expect(loadSettings({ ODST_WITHDRAWN_GRACE: text }).withdrawnGraceMs).toBe(ms);
  });

  it.each(['1', '1w', '-1s', '1.5h', '31d', '721h'])('refuses a grace time of %s', (text) => {
    expect(messageOf({ ODST_WITHDRAWN_GRACE: text })).toMatch(/^ODST_WITHDRAWN_GRACE must be a time of 0s to 30d/);
  });

  it('takes a certificate with its key, or neither', () => {
    expect(loadSettings({})).toMatchObject({ tls: null, hstsSeconds: 180 * 24 * 60 * 60, introspection: true });
    expect(loadSettings({ ODST_TLS_CERT_FILE: '/c', ODST_TLS_KEY_FILE: '/k' }).tls).toEqual({ certFile: '/c', keyFile: '/k' });
    expect(messageOf({ ODST_TLS_CERT_FILE: '/c' })).toBe('ODST_TLS_CERT_FILE is set and ODST_TLS_KEY_FILE is not. Set both, or none for plain HTTP.');
    expect(messageOf({ ODST_TLS_KEY_FILE: '/k' })).toMatch(/^ODST_TLS_KEY_FILE is set and ODST_TLS_CERT_FILE is not/);
    expect(loadSettings({ ODST_HSTS: '0s', ODST_GRAPHQL_INTROSPECTION: 'false' })).toMatchObject({ hstsSeconds: 0, introspection: false });
    expect(messageOf({ ODST_HSTS: '731d' })).toMatch(/^ODST_HSTS must be/);
    expect(messageOf({ ODST_GRAPHQL_INTROSPECTION: 'off' })).toMatch(/^ODST_GRAPHQL_INTROSPECTION must be true or false/);
  });

  it('never shows a secret', () => {
    expect(messageOf({ ODST_SECRET_KEY: 'hunter2' })).not.toContain('hunter2');
    expect(messageOf({ ODST_ADMIN_PASSWORD: 'short' })).not.toContain('short');
  });

  it('reads secrets from files, but not from two places', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'odst-settings-')), 'password');
    writeFileSync(file, 'from a file\n');
    expect(loadSettings({ ODST_ADMIN_PASSWORD_FILE: file }).adminPassword).toBe('from a file');
    expect(messageOf({ ODST_ADMIN_PASSWORD_FILE: file, ODST_ADMIN_PASSWORD: 'from outside' })).toContain('Keep one');
    expect(messageOf({ ODST_ADMIN_PASSWORD_FILE: `${file}.gone` })).toContain('cannot be read');
  });
});
