import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { addressGroup } from '../limits/rate-limit.js';
import { areProxies, callerAddress, trustOf, trustProxies } from './caller-address.js';

class Connection extends Socket {
  constructor(override readonly remoteAddress: string | undefined) {
    super();
  }
}

function addressOf(
  remote: string | undefined,
  forwardedFor: string | null,
  proxies: readonly string[],
  forwarded?: string,
): string | null {
  const socket = new Connection(remote);
  const trust = trustOf(proxies);
  if (trust) trustProxies(socket, trust);
  const request = new IncomingMessage(socket);
  if (forwardedFor !== null) request.headers['x-forwarded-for'] = forwardedFor;
  if (forwarded !== undefined) request.headers.forwarded = forwarded;
  return callerAddress(request);
}

describe('the address of a caller', () => {
  it.each([
    ['10.0.0.1', '203.0.113.9', [], '10.0.0.1'],
    ['10.0.0.1', '203.0.113.9', ['10.0.0.0/8'], '203.0.113.9'],
    ['::ffff:10.0.0.1', '203.0.113.9', ['10.0.0.1'], '203.0.113.9'],
    ['192.0.2.1', '203.0.113.9', ['10.0.0.0/8'], '192.0.2.1'],
    ['127.0.0.1', '198.51.100.7, 203.0.113.9', ['loopback'], '203.0.113.9'],
    ['127.0.0.1', '198.51.100.7, 10.1.1.1', ['loopback', 'uniquelocal'], '198.51.100.7'],
    ['127.0.0.1', '2001:db8::1', ['loopback'], '2001:db8::1'],
    ['127.0.0.1', null, ['loopback'], '127.0.0.1'],
    ['127.0.0.1', '10.1.1.1, 127.0.0.1', ['loopback', 'uniquelocal'], '10.1.1.1'],
    // Written by Azure's gateway, IIS and others: ports, brackets and quotes.
    ['127.0.0.1', '203.0.113.9:51234', ['loopback'], '203.0.113.9'],
    ['127.0.0.1', ' "203.0.113.9:51234" ', ['loopback'], '203.0.113.9'],
    ['127.0.0.1', '[2001:db8::1]', ['loopback'], '2001:db8::1'],
    ['127.0.0.1', '"[2001:db8::1]:443"', ['loopback'], '2001:db8::1'],
    ['127.0.0.1', '[::1]:443', ['10.0.0.0/8', 'loopback'], '::1'],
    ['127.0.0.1', '203.0.113.9:1, 127.0.0.1:2, [::1]:3', ['loopback'], '203.0.113.9'],
    ['127.0.0.1', '::ffff:cb00:7109', ['loopback'], '203.0.113.9'],
    ['127.0.0.1', 'fe80::1%en0', ['loopback'], 'fe80::1'],
    // What stands before the address that a trusted proxy wrote is the invention of the caller.
    ['127.0.0.1', 'unknown, "x, 203.0.113.9', ['loopback'], '203.0.113.9'],
    ['::ffff:192.0.2.1', null, [], '192.0.2.1'],
  ])('from %s for %s, trusting %j, is %s', (remote, forwardedFor, proxies, expected) => {
    expect(addressOf(remote, forwardedFor, proxies)).toBe(expected);
  });

  it.each([
    'unknown',
    'UNKNOWN',
    '_hidden',
    '<script>',
    '',
    ' ',
    'unix:',
    '203.0.113.9,',
    '203.0.113.9, unknown',
    '203.0.113.9, unknown, 127.0.0.1',
    '203.0.113.9:',
    '203.0.113.9:http',
    '203.0.113.9:123456',
    '"203.0.113.9',
    "'203.0.113.9'",
    '[203.0.113.9]',
    '[2001:db8::1',
    '2001:db8:0:0:0:0:0:1:443',
    '203.0.113.009',
    '3405803785',
    'client.example.org',
    '203.0.113.9 10.0.0.1',
  ])('is unknown, and not the one of the proxy, for %j', (forwardedFor) => {
    expect(addressOf('127.0.0.1', forwardedFor, ['loopback'])).toBe('unknown');
  });

  it.each([
    ['for=203.0.113.9', '203.0.113.9'],
    ['For="203.0.113.9:51234";proto=https;by=127.0.0.1', '203.0.113.9'],
    ['proto=https; for="[2001:db8::1]:_port"', '2001:db8::1'],
    ['for=198.51.100.7, for="[::1]"', '198.51.100.7'],
    ['for=10.0.0.1;host="a,b;for=10.0.0.2", for=203.0.113.9', '203.0.113.9'],
    ['for=unknown', 'unknown'],
    ['for="_gazonk"', 'unknown'],
    ['for=203.0.113.9, proto=https', 'unknown'],
    ['for=203.0.113.9;for=10.0.0.1', 'unknown'],
    ['for=10.0.0.1;host=", for=203.0.113.9', 'unknown'],
    ['for=10.0.0.1;host=", for="203.0.113.9:80"', 'unknown'],
    ['203.0.113.9', 'unknown'],
    ['', 'unknown'],
  ])('for Forwarded: %s is %s', (forwarded, expected) => {
    expect(addressOf('127.0.0.1', null, ['loopback'], forwarded)).toBe(expected);
    expect(addressOf('192.0.2.1', null, ['loopback'], forwarded)).toBe('192.0.2.1');
  });

  it('is unknown when two headers differ, of which a proxy may have passed on one as the caller invented it', () => {
    expect(addressOf('127.0.0.1', '10.0.0.1', ['loopback'], 'for=203.0.113.9')).toBe('unknown');
    expect(addressOf('127.0.0.1', '203.0.113.9', ['loopback'], 'for="203.0.113.9:80"')).toBe('203.0.113.9');
  });

  it('has a limit of its own when it is unknown', () => {
    expect(new Set(['unknown', '127.0.0.1', null].map(addressGroup)).size).toBe(3);
  });

  it('is unknown once the connection is gone', () => {
    expect(addressOf(undefined, '203.0.113.9', ['loopback'])).toBeNull();
  });
});

it('knows a list of proxies when it sees one', () => {
  expect(areProxies(['10.0.0.0/8', '::1', 'loopback'])).toBe(true);
  for (const wrong of ['', 'proxy.example.org', '10.0.0.0/33', '10.0.0']) expect(areProxies([wrong])).toBe(false);
});
