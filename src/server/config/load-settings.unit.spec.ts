import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StartupError } from '../../kernel/errors.js';
import { plainTextWarning } from './directory-settings.js';
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
    expect(loadSettings({})).toMatchObject({
      port: 8080,
      url: null,
      stage: null,
      adminPassword: null,
      databaseUrl: null,
    });
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
    expect(loadSettings(env)).toMatchObject({
      trustedProxies: ['loopback', '10.0.0.0/8'],
      accelRedirect: '/_odst/packages/',
    });
    for (const wrong of ['proxy', 'true', '10.0.0.0/33'])
      expect(messageOf({ ODST_TRUSTED_PROXIES: wrong })).toMatch(/^ODST_TRUSTED_PROXIES must be/);
    for (const wrong of ['packages/', '/packages', '/', '/a b/'])
      expect(messageOf({ ODST_ACCEL_REDIRECT: wrong })).toMatch(/^ODST_ACCEL_REDIRECT must be/);
  });

  it('takes addresses at which peers may be called', () => {
    expect(loadSettings({}).allowedPeerAddresses).toEqual([]);
    const list = '127.0.0.1, ::1,fe80::/10';
    expect(loadSettings({ ODST_ALLOWED_PEER_ADDRESSES: list }).allowedPeerAddresses).toEqual([
      '127.0.0.1',
      '::1',
      'fe80::/10',
    ]);
    for (const wrong of ['localhost', '127.0.0.0/33', '127.0.0.1,', 'loopback', '127.1'])
      expect(messageOf({ ODST_ALLOWED_PEER_ADDRESSES: wrong })).toMatch(/^ODST_ALLOWED_PEER_ADDRESSES must be/);
  });

  it('takes proxies for outgoing calls as other programs do, and shows no password of them', () => {
    expect(loadSettings({})).toMatchObject({ httpsProxy: null, httpProxy: null, noProxy: [] });
    const env = {
      HTTPS_PROXY: 'http://u:p@proxy:3128',
      http_proxy: 'proxy:3129',
      NO_PROXY: ' a.example, 10.0.0.0/8 b ',
    };
    expect(loadSettings(env)).toMatchObject({
      httpsProxy: 'http://u:p@proxy:3128',
      httpProxy: 'proxy:3129',
      noProxy: ['a.example', '10.0.0.0/8', 'b'],
    });
    expect(loadSettings({ HTTPS_PROXY: 'http://a', https_proxy: 'http://b' }).httpsProxy).toBe('http://b');
    expect(loadSettings({ HTTPS_PROXY: 'http://a', https_proxy: '' }).httpsProxy).toBeNull();
    for (const wrong of ['socks5://u:hunter2@p', 'http://u:hunter2@p/x']) {
      expect(messageOf({ HTTPS_PROXY: wrong })).toMatch(/^HTTPS_PROXY must be the http:/);
      expect(messageOf({ http_proxy: wrong })).toMatch(/^HTTP_PROXY must be the http:/);
      expect(messageOf({ HTTPS_PROXY: wrong })).not.toContain('hunter2');
    }
    expect(messageOf({ NO_PROXY: '10.0.0.0/33' })).toMatch(/^NO_PROXY must be a comma-separated list/);
  });

  it.each([
    ['0s', 0],
    ['90s', 90_000],
    ['15m', 900_000],
    ['30d', 2_592_000_000],
  ])('takes %s for the grace time', (text, ms) => {
    expect(loadSettings({ ODST_WITHDRAWN_GRACE: text }).withdrawnGraceMs).toBe(ms);
  });

  it.each(['1', '1w', '-1s', '1.5h', '31d', '721h'])('refuses a grace time of %s', (text) => {
    expect(messageOf({ ODST_WITHDRAWN_GRACE: text })).toMatch(/^ODST_WITHDRAWN_GRACE must be a time of 0s to 30d/);
  });

  it('takes a certificate with its key, or neither', () => {
    expect(loadSettings({})).toMatchObject({ tls: null, hstsSeconds: 180 * 24 * 60 * 60, introspection: true });
    expect(loadSettings({ ODST_TLS_CERT_FILE: '/c', ODST_TLS_KEY_FILE: '/k' }).tls).toEqual({
      certFile: '/c',
      keyFile: '/k',
    });
    expect(messageOf({ ODST_TLS_CERT_FILE: '/c' })).toBe(
      'ODST_TLS_CERT_FILE is set and ODST_TLS_KEY_FILE is not. Set both, or none for plain HTTP.',
    );
    expect(messageOf({ ODST_TLS_KEY_FILE: '/k' })).toMatch(/^ODST_TLS_KEY_FILE is set and ODST_TLS_CERT_FILE is not/);
    expect(loadSettings({ ODST_HSTS: '0s', ODST_GRAPHQL_INTROSPECTION: 'false' })).toMatchObject({
      hstsSeconds: 0,
      introspection: false,
    });
    expect(messageOf({ ODST_HSTS: '731d' })).toMatch(/^ODST_HSTS must be/);
    expect(messageOf({ ODST_GRAPHQL_INTROSPECTION: 'off' })).toMatch(
      /^ODST_GRAPHQL_INTROSPECTION must be true or false/,
    );
  });

  it('never shows a secret', () => {
    expect(messageOf({ ODST_SECRET_KEY: 'hunter2' })).not.toContain('hunter2');
    expect(messageOf({ ODST_ADMIN_PASSWORD: 'short' })).not.toContain('short');
  });

  it('reads secrets from files, but not from two places', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'odst-settings-')), 'password');
    writeFileSync(file, 'from a file\n');
    expect(loadSettings({ ODST_ADMIN_PASSWORD_FILE: file }).adminPassword).toBe('from a file');
    expect(loadSettings({ ODST_ADMIN_PASSWORD: '  with blanks\t ' }).adminPassword).toBe('  with blanks\t ');
    for (const [content, password] of [
      ['\uFEFF a b c d e \r\n', ' a b c d e '],
      ['a b c d e\n\n', 'a b c d e\n'],
      ['\ta b c d e', '\ta b c d e'],
    ] as const) {
      writeFileSync(file, content);
      expect(loadSettings({ ODST_ADMIN_PASSWORD_FILE: file }).adminPassword).toBe(password);
    }
    writeFileSync(file, Buffer.from('l\xf6ng enough', 'latin1'));
    expect(messageOf({ ODST_ADMIN_PASSWORD_FILE: file })).toContain('cannot be read');
    expect(messageOf({ ODST_ADMIN_PASSWORD_FILE: file, ODST_ADMIN_PASSWORD: 'from outside' })).toContain('Keep one');
    expect(messageOf({ ODST_ADMIN_PASSWORD_FILE: `${file}.gone` })).toContain('cannot be read');
  });
});

describe('white space at the ends of a secret', () => {
  const HEX = 'ab'.repeat(32);
  const SECRETS = [
    ['ODST_SECRET_KEY', HEX],
    ['DATABASE_URL', 'postgres://u:p@h/d'],
    ['EVENTSTOREDB_URL', 'esdb://u:p@h:2113'],
    ['REDIS_URL', 'redis://u:p@h'],
  ] as const;
  const file = join(mkdtempSync(join(tmpdir(), 'odst-settings-')), 'secret');
  const inFile = (name: string, content: string) => {
    writeFileSync(file, content);
    return { [`${name}_FILE`]: file };
  };

  it.each(SECRETS)('is refused in %s, but for one line end and a byte order mark', (name, value) => {
    const wanted = loadSettings({ [name]: value });
    for (const right of [`${value}\n`, `\uFEFF${value}\r\n`]) {
      expect(loadSettings({ [name]: right })).toEqual(wanted);
      expect(loadSettings(inFile(name, right))).toEqual(wanted);
    }
    for (const wrong of [` ${value}`, `${value} `, `${value}\n\n`, `${value}\t\n`, ' ']) {
      const refused = new RegExp(`^${name} must not begin or end with white space`);
      expect(messageOf({ [name]: wrong })).toMatch(refused);
      expect(messageOf(inFile(name, wrong))).toMatch(refused);
    }
  });

  it('belongs to the password of the directory', () => {
    const directory = {
      LDAP_URL: 'ldap://dc1.example.org',
      LDAP_SEARCH_BASE: 'dc=example,dc=org',
      LDAP_ROLE_MAP: 'admin=cn=admins,dc=example,dc=org',
      LDAP_BIND_DN: 'cn=reader,dc=example,dc=org',
    };
    const bound = (env: Record<string, string>) => loadSettings({ ...directory, ...env }).directory?.bind?.password;
    for (const password of [' secret ', 'secret\t', '\u00a0secret'])
      for (const end of ['', '\n', '\r\n']) {
        expect(bound({ LDAP_BIND_PASSWORD: `${password}${end}` })).toBe(password);
        expect(bound(inFile('LDAP_BIND_PASSWORD', `${password}${end}`))).toBe(password);
      }
  });
});

describe('the settings of a directory', () => {
  const LEAST = {
    LDAP_URL: 'ldap://dc1.example.org',
    LDAP_SEARCH_BASE: 'dc=example,dc=org',
    LDAP_ROLE_MAP: 'admin=cn=admins,dc=example,dc=org',
  };
  const settingsOf = (change: Record<string, string> = {}) => loadSettings({ ...LEAST, ...change }).directory;
  const messageWith = (change: Record<string, string>) => messageOf({ ...LEAST, ...change });

  it('are none without LDAP_URL, and have sane defaults with it', () => {
    expect(loadSettings({}).directory).toBeNull();
    expect(settingsOf()).toMatchObject({
      url: 'ldap://dc1.example.org',
      startTls: false,
      ca: null,
      bind: null,
      searchFilter: '(uid={{username}})',
      groupSearchBase: 'dc=example,dc=org',
      groupFilter: '(|(member={{dn}})(uniqueMember={{dn}})(memberUid={{username}}))',
      recursive: false,
      idAttribute: null,
      timeoutMs: 5_000,
    });
  });

  it('let Active Directory follow groups itself', () => {
    expect(settingsOf({ LDAP_NESTED_GROUPS: 'active-directory' })).toMatchObject({
      recursive: false,
      groupFilter: '(member:1.2.840.113556.1.4.1941:={{dn}})',
    });
    expect(settingsOf({ LDAP_NESTED_GROUPS: 'recursive' })).toMatchObject({ recursive: true });
  });

  it.each([
    [{ LDAP_URL: 'https://dc1' }, /^LDAP_URL must be ldap:/],
    [{ LDAP_URL: 'ldap://user:secret@dc1' }, /^LDAP_URL must be/],
    [{ LDAP_URL: 'ldap://dc1/dc=example' }, /^LDAP_URL must be/],
    [{ LDAP_URL: 'ldap://[2001:db8::1]' }, /IPv6/],
    [{ LDAP_URL: 'ldaps://dc1', LDAP_START_TLS: 'true' }, /^LDAP_START_TLS=true works only with ldap:/],
    [{ LDAP_CA_FILE: '/nowhere.pem' }, /^LDAP_CA_FILE is set, but nothing is encrypted/],
    [{ LDAP_START_TLS: 'true', LDAP_CA_FILE: '/nowhere.pem' }, /^LDAP_CA_FILE must be a file .*ENOENT/],
    [{ LDAP_START_TLS: 'true', LDAP_CA_FILE: import.meta.filename }, /^LDAP_CA_FILE must be a file .*no certificate/],
    [{ LDAP_STARTTLS: 'true' }, /^LDAP_STARTTLS is not a setting/],
    [{ LDAP_BIND_DN: 'cn=ods' }, /belong together/],
    [{ LDAP_BIND_PASSWORD: 'hunter2' }, /belong together/],
    [{ LDAP_SEARCH_BASE: 'example.org' }, /^LDAP_SEARCH_BASE must be a distinguished name/],
    [{ LDAP_SEARCH_BASE: '' }, /set LDAP_SEARCH_BASE/],
    [{ LDAP_ROLE_MAP: '' }, /set LDAP_ROLE_MAP/],
    [{ LDAP_ROLE_MAP: 'admins=cn=a,dc=x' }, /^LDAP_ROLE_MAP must be .* does not begin with a role/],
    [{ LDAP_SEARCH_FILTER: '(uid=*)' }, /^LDAP_SEARCH_FILTER must be .*whole name/],
    [{ LDAP_SEARCH_FILTER: '(uid={{username}}' }, /^LDAP_SEARCH_FILTER must be/],
    [{ LDAP_GROUP_FILTER: '(member=*)' }, /^LDAP_GROUP_FILTER must be/],
    [{ LDAP_NESTED_GROUPS: 'true' }, /^LDAP_NESTED_GROUPS must be off, recursive or active-directory/],
    [{ LDAP_TIMEOUT: '0s' }, /^LDAP_TIMEOUT must be/],
    [{ LDAP_URL: '' }, /^LDAP_SEARCH_BASE is set, but LDAP_URL is not/],
  ])('refuse %j in one line', (change, why) => {
    const message = messageWith(change as Record<string, string>);
    expect(message).toMatch(why);
    expect(message).not.toMatch(/\n|hunter2/);
  });

  it('warn where passwords would go over a network unencrypted', () => {
    expect(plainTextWarning(settingsOf())).toContain('unencrypted');
    const safe: Record<string, string>[] = [
      { LDAP_URL: 'ldaps://dc1' },
      { LDAP_START_TLS: 'true' },
      { LDAP_URL: 'ldap://127.0.0.1:389' },
    ];
    for (const change of safe) expect(plainTextWarning(settingsOf(change))).toBeNull();
    expect(plainTextWarning(null)).toBeNull();
  });
});
