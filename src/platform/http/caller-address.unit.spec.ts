import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { areProxies, callerAddress, trustOf, trustProxies } from './caller-address.js';

class Connection extends Socket {
  constructor(override readonly remoteAddress: string | undefined) {
    super();
  }
}

function addressOf(remote: string | undefined, forwardedFor: string | null, proxies: readonly string[]): string | null {
  const socket = new Connection(remote);
  const trust = trustOf(proxies);
  if (trust) trustProxies(socket, trust);
  const request = new IncomingMessage(socket);
  if (forwardedFor !== null) request.headers['x-forwarded-for'] = forwardedFor;
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
    ['127.0.0.1', 'unknown', ['loopback'], '127.0.0.1'],
    ['127.0.0.1', '<script>', ['loopback'], '127.0.0.1'],
    ['::ffff:192.0.2.1', null, [], '192.0.2.1'],
  ])('from %s for %s, trusting %j, is %s', (remote, forwardedFor, proxies, expected) => {
    expect(addressOf(remote, forwardedFor, proxies)).toBe(expected);
  });

  it('is unknown once the connection is gone', () => {
    expect(addressOf(undefined, '203.0.113.9', ['loopback'])).toBeNull();
  });
});

it('knows a list of proxies when it sees one', () => {
  expect(areProxies(['10.0.0.0/8', '::1', 'loopback'])).toBe(true);
  for (const wrong of ['', 'proxy.example.org', '10.0.0.0/33', '10.0.0']) expect(areProxies([wrong])).toBe(false);
});
