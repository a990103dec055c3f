import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  addressRulesOf,
  checkedLookup,
  findAddressFault,
  hostOf,
  type ResolveName,
  strictAddressRules,
} from './peer-addresses.js';

const strict = strictAddressRules();
const faultOf = (address: string, rules = strict): string | null => findAddressFault(address, rules)?.message ?? null;

describe('addresses that somebody else names', () => {
  it.each([
    ['127.0.0.1', 'a loopback address'],
    ['127.255.255.254', 'a loopback address'],
    ['::1', 'a loopback address'],
    ['0:0:0:0:0:0:0:1', 'a loopback address'],
    ['::ffff:127.0.0.1', 'a loopback address'],
    ['::ffff:7f00:1', 'a loopback address'],
    ['::127.0.0.1', 'a loopback address'],
    ['64:ff9b::7f00:1', 'a loopback address'],
    ['2002:7f00:1::', 'a loopback address'],
    ['2002:7f00:1:5::9', 'a loopback address'],
    ['169.254.169.254', 'secrets'],
    ['::ffff:169.254.169.254', 'secrets'],
    ['::ffff:a9fe:a9fe', 'secrets'],
    ['169.254.170.2', 'secrets'],
    ['100.100.100.200', 'secrets'],
    ['168.63.129.16', 'secrets'],
    ['192.0.0.192', 'secrets'],
    ['fd00:ec2::254', 'secrets'],
    ['fd20:ce::254', 'secrets'],
    ['169.254.0.1', 'a link-local address'],
    ['169.254.255.255', 'a link-local address'],
    ['fe80::1', 'a link-local address'],
    ['fe80::1%eth0', 'a link-local address'],
    ['febf:ffff::1', 'a link-local address'],
    ['0.0.0.0', 'not the address of a machine'],
    ['0.1.2.3', 'not the address of a machine'],
    ['::', 'not the address of a machine'],
    ['::ffff:0.0.0.0', 'not the address of a machine'],
    ['224.0.0.1', 'a multicast address'],
    ['239.255.255.250', 'a multicast address'],
    ['ff02::1', 'a multicast address'],
    ['255.255.255.255', 'a broadcast or reserved address'],
    ['240.0.0.1', 'a broadcast or reserved address'],
    ['64:ff9b::ffff:ffff', 'a broadcast or reserved address'],
  ])('%s is refused as %s', (address, what) => expect(faultOf(address)).toContain(what));

  it.each([
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '8.8.8.8',
    '126.255.255.255',
    '128.0.0.1',
    '169.253.255.255',
    '169.255.0.1',
    '223.255.255.255',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    'fd12:3456::1',
    'fd00:ec3::1',
    '2001:db8::1',
    'fec0::1',
  ])('%s is allowed', (address) => expect(faultOf(address)).toBeNull());

  it.each([
    'http://2130706433',
    'http://0x7f.1',
    'http://017700000001',
    'http://127.1',
    'http://127.0.0.1.',
    'http://%31%32%37.0.0.1',
    'http://①②⑦.0.0.1',
    'http://[::ffff:127.0.0.1]',
    'http://[0:0::1]:8080/ods',
  ])('the spelling %s is refused as the loopback address that it is', (url) =>
    expect(faultOf(hostOf(url))).toContain('a loopback address'),
  );

  it('a name is judged when it is resolved, and not as a text', () => expect(faultOf('localhost')).toBeNull());
});

describe('the rules of a server', () => {
  it.each([
    'http://127.0.0.1:8080',
    'http://localhost:8080/ods',
    'https://[::1]',
    'http://a.localhost',
    'http://127.1',
  ])('a server that is itself reached at %s calls loopback addresses, and no others that are refused', (url) => {
    const rules = addressRulesOf(url, []);
    expect(faultOf('127.0.0.1', rules)).toBeNull();
    expect(faultOf('::1', rules)).toBeNull();
    expect(faultOf('169.254.0.1', rules)).not.toBeNull();
    expect(faultOf('0.0.0.0', rules)).not.toBeNull();
  });

  it.each(['http://localhost.example.com', 'https://ods.example.com', 'http://10.0.0.1', 'http://notlocalhost'])(
    'a server that is reached at %s does not',
    (url) => expect(faultOf('127.0.0.1', addressRulesOf(url, []))).toContain('ODST_ALLOWED_PEER_ADDRESSES'),
  );

  it('a list allows what it names, in each notation, and nothing beside it', () => {
    const rules = addressRulesOf('https://ods.example.com', ['127.0.0.2', '169.254.8.0/24', 'fe80::/64']);
    for (const address of ['127.0.0.2', '::ffff:127.0.0.2', '169.254.8.200', 'fe80::9']) {
      expect(faultOf(address, rules)).toBeNull();
    }
    for (const address of ['127.0.0.1', '127.0.0.3', '::1', '169.254.9.1', 'fe80:1::9']) {
      expect(faultOf(address, rules)).toContain('ODST_ALLOWED_PEER_ADDRESSES');
    }
  });

  it('no list allows addresses that give out secrets, or are not those of a machine', () => {
    const rules = addressRulesOf('https://ods.example.com', ['0.0.0.0/0', '::/0']);
    for (const address of ['169.254.169.254', '100.100.100.200', '0.0.0.0', '::', '224.0.0.1', '255.255.255.255']) {
      expect(faultOf(address, rules)).toContain('No peer is there');
    }
    expect(faultOf('127.0.0.1', rules)).toBeNull();
  });
});

/** Answers each question about a name with the next list. */
function answersOf(...lists: readonly (readonly string[])[]): ResolveName {
  const left = [...lists];
  return (_name, _options, done) =>
    done(
      null,
      (left.shift() ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
}

interface Answer {
  readonly error: Error | null;
  readonly address: string | LookupAddress[];
}

const ask = (lookup: ReturnType<typeof checkedLookup>, all: boolean): Promise<Answer> =>
  new Promise((resolve) => lookup('peer.example', { all }, (error, address) => resolve({ error, address })));

describe('names', () => {
  it('of several addresses, only the right ones are connected to', async () => {
    const mixed = ['127.0.0.1', '10.0.0.7', 'fe80::1', '2001:db8::7', '169.254.169.254'];
    const lookup = checkedLookup(strictAddressRules, answersOf(mixed, mixed));
    expect(await ask(lookup, true)).toEqual({
      error: null,
      address: [
        { address: '10.0.0.7', family: 4 },
        { address: '2001:db8::7', family: 6 },
      ],
    });
    expect(await ask(lookup, false)).toEqual({ error: null, address: '10.0.0.7' });
  });

  it.each([true, false])('without a right address a name is refused (all: %s)', async (all) => {
    const lookup = checkedLookup(strictAddressRules, answersOf(['169.254.169.254', '::1']));
    expect((await ask(lookup, all)).error).toMatchObject({
      code: 'PEER_ADDRESS_REFUSED',
      message: expect.stringContaining('169.254.169.254') as string,
    });
  });

  it('a name without any address is not connected to', async () => {
    expect((await ask(checkedLookup(strictAddressRules, answersOf([])), true)).error?.message).toBe(
      'the DNS knows no address of peer.example',
    );
  });

  it('the failure of the DNS is passed on', async () => {
    const failing: ResolveName = (_name, _options, done) =>
      done(Object.assign(new Error('queryA'), { code: 'EAI_AGAIN' }), []);
    expect((await ask(checkedLookup(strictAddressRules, failing), true)).error).toMatchObject({ code: 'EAI_AGAIN' });
  });

  it('a name whose answer changes is judged at each connection, and connected to as it was judged', async () => {
    const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    // Only this loopback address is right, so that the connection can be made; the name then moves to another one.
    const rules = () => ({ allowsLoopback: false, allowed: ['127.0.0.1'] });
    const lookup = checkedLookup(rules, answersOf(['127.0.0.1'], ['127.0.0.2'], ['127.0.0.1']));
    const connectTo = async (): Promise<string | undefined> => {
      const socket = connect({ host: 'peer.example', port, lookup });
      await once(socket, 'connect');
      const { remoteAddress } = socket;
      socket.destroy();
      return remoteAddress;
    };
    expect(await connectTo()).toBe('127.0.0.1');
    await expect(connectTo()).rejects.toMatchObject({ code: 'PEER_ADDRESS_REFUSED' });
    expect(await connectTo()).toBe('127.0.0.1');
    server.close();
    await once(server, 'close');
  });
});
