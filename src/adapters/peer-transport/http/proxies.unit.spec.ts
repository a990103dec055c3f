import { describe, expect, it } from 'vitest';
import { nameOf, NO_PROXIES, parseException, parseProxy, proxyFor } from './proxies.js';

const direct = (url: string, noProxy: string): boolean =>
  proxyFor(url, { https: 'http://p:1', http: 'http://p:2', exceptions: noProxy.split(',') }) === null;

describe('which proxy is used', () => {
  it.each([
    ['https://a.example', { https: 'http://s:1' }, 's:1'],
    ['https://a.example', { http: 'http://p:2' }, null],
    ['http://a.example', { http: 'http://p:2' }, 'p:2'],
    ['http://a.example', { https: 'http://s:1' }, null],
    ['http://a.example:8080/ods', { https: 'http://s:1', http: 'http://p:2' }, 'p:2'],
    ['https://127.0.0.1', { https: 'http://s:1' }, 's:1'],
    ['http://a.example', {}, null],
  ] as const)('for %s with %j: %s', (url, set, name) => {
    const proxy = proxyFor(url, { ...NO_PROXIES, ...set });
    expect(proxy && nameOf(proxy)).toBe(name);
  });

  it.each([
    ['http://p', 'p:80', false],
    ['https://p', 'p:443', true],
    ['HTTP://P.example:3128/', 'p.example:3128', false],
    ['p.example:3128', 'p.example:3128', false],
    ['10.0.0.1:8080', '10.0.0.1:8080', false],
    ['http://[fd00::1]:3128', '[fd00::1]:3128', false],
  ])('%s is the proxy %s', (address, name, secure) => {
    const proxy = parseProxy(address);
    expect(proxy && nameOf(proxy)).toBe(name);
    expect(proxy).toMatchObject({ secure, headers: {} });
  });

  it.each(['socks5://p:1080', 'ftp://p', 'http://', 'http://p/path', 'http://p?q', 'http://u:%zz@p', 'http://p:99999'])(
    '%s is no proxy',
    (address) => expect(parseProxy(address)).toBeNull(),
  );

  it.each([
    ['http://sam:secret@p', 'sam:secret'],
    ['http://sam@p', 'sam:'],
    ['http://s%40m:%C3%BC%3A@p', 's@m:ü:'],
  ])('%s has its user and password in a header', (address, credentials) => {
    const value = `Basic ${Buffer.from(credentials).toString('base64')}`;
    expect(parseProxy(address)?.headers).toEqual({ 'proxy-authorization': value });
    expect(nameOf(parseProxy(address)!)).toBe('p:80');
  });
});

describe('NO_PROXY', () => {
  it.each([
    ['*', 'https://a.example'],
    ['a.example', 'https://a.example'],
    ['A.Example', 'https://a.example'],
    ['a.example', 'https://A.EXAMPLE.:8443/ods'],
    ['a.example.', 'https://a.example'],
    ['a.example', 'https://b.a.example'],
    ['.a.example', 'https://b.a.example'],
    ['.a.example', 'https://a.example'],
    ['*.a.example', 'https://c.b.a.example'],
    ['x.example,a.example', 'http://a.example'],
    ['a.example:8443', 'https://a.example:8443'],
    ['a.example:443', 'https://a.example'],
    ['a.example:80', 'http://a.example'],
    ['localhost', 'http://localhost:8080'],
    ['bücher.example', 'https://xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'https://bücher.example'],
    ['10.1.2.3', 'http://10.1.2.3'],
    ['10.1.2.3:8080', 'http://10.1.2.3:8080'],
    ['10.0.0.0/8', 'http://10.255.0.1'],
    ['127.0.0.0/8', 'http://0x7f.1:8080'],
    ['0.0.0.0/0', 'https://192.0.2.1'],
    ['::1', 'http://[::1]:8080'],
    ['[::1]', 'http://[::1]:8080'],
    ['[::1]:8080', 'http://[0:0::1]:8080'],
    ['fd00::/8', 'https://[fd12:3456::1]'],
    ['10.0.0.0/8', 'http://[::ffff:10.1.2.3]'],
  ])('%s: %s is called directly', (noProxy, url) => expect(direct(url, noProxy)).toBe(true));

  it.each([
    ['', 'https://a.example'],
    ['a.example', 'https://ba.example'],
    ['a.example', 'https://a.example.org'],
    ['.a.example', 'https://ba.example'],
    ['a.example:443', 'https://a.example:8443'],
    ['a.example:443', 'http://a.example'],
    ['10.1.2.3', 'http://10.1.2.30'],
    ['10.1.2.3:80', 'http://10.1.2.3:8080'],
    ['10.0.0.0/8', 'http://11.0.0.1'],
    ['10.0.0.0/8', 'http://ten.example'],
    ['fd00::/8', 'https://[fe00::1]'],
    ['[::1]:8080', 'http://[::1]:8081'],
    ['example', 'https://10.0.0.1'],
  ])('%s: %s is called through the proxy', (noProxy, url) => expect(direct(url, noProxy)).toBe(false));

  it.each([
    '10.0.0.0/33',
    '10.0.0.300',
    '10.0.0',
    '192.168.*',
    'a..b',
    'a b',
    'http://a',
    'a:b',
    '[::1',
    'fd00::/129',
    '.',
  ])('%s is nothing that could be meant', (entry) => expect(parseException(entry)).toBeNull());
});
