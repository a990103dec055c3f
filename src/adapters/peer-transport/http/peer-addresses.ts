import { lookup as lookupName, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/**
 * Which addresses this server calls because somebody told it: plain data, which the threads get with each order. Private
 * networks are always allowed, since most servers are in one.
 */
export interface AddressRules {
  /** True when this server itself is reached at a loopback address, as in the demo. */
  readonly allowsLoopback: boolean;
  /** Addresses and CIDR ranges that the administrator has listed (`ODST_ALLOWED_PEER_ADDRESSES`). */
  readonly allowed: readonly string[];
}

/** For a server that is reached at a usual address, without a list. */
export const strictAddressRules = (): AddressRules => ({ allowsLoopback: false, allowed: [] });

/** Returns the host name of a URL as it is called: without the brackets of IPv6. */
export const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '');

/** Returns the rules of a server that is reached at this URL. */
export function addressRulesOf(ownUrl: string, allowed: readonly string[]): AddressRules {
  const host = hostOf(ownUrl);
  return { allowsLoopback: isLoopbackName(host) || LOOPBACK.includes(host), allowed };
}

const isLoopbackName = (host: string): boolean => /^(?:.+\.)?localhost\.?$/i.test(host);

const FAMILIES = { 0: null, 4: 'ipv4', 6: 'ipv6' } as const;
const familyOf = (address: string) => FAMILIES[isIP(address) as 0 | 4 | 6];

const hex = (high = 0, low = 0): string => ((high << 8) | low).toString(16);

/**
 * A set of addresses and CIDR ranges. An IPv4 network includes the IPv6 addresses that lead to it: mapped (`::ffff:`), compatible (`::`),
 * NAT64 (RFC 6052) and 6to4 (RFC 3056).
 */
export class Networks {
  private readonly list = new BlockList();

  constructor(networks: readonly string[]) {
    for (const network of networks) this.add(network);
  }

  includes(host: string): boolean {
    const address = host.replace(/%.*$/, '');
    const family = familyOf(address);
    return family !== null && this.list.check(address, family);
  }

  private add(network: string): void {
    const [address = '', prefix] = network.split('/');
    if (isIP(address) === 6) return this.list.addSubnet(address, Number(prefix ?? 128), 'ipv6');
    const bits = Number(prefix ?? 32);
    this.list.addSubnet(address, bits, 'ipv4');
    for (const start of ['::ffff:', '::', '64:ff9b::']) this.list.addSubnet(start + address, 96 + bits, 'ipv6');
    const [a, b, c, d] = address.split('.').map(Number);
    this.list.addSubnet(`2002:${hex(a, b)}:${hex(c, d)}::`, 16 + bits, 'ipv6');
  }
}

const LOOPBACK = new Networks(['127.0.0.0/8', '::1']);

interface AddressKind {
  readonly what: string;
  readonly networks: Networks;
  /** Null when no setting allows it. */
  readonly isAllowed: ((address: string, rules: AddressRules) => boolean) | null;
}

const isListed = (address: string, { allowed }: AddressRules): boolean => new Networks(allowed).includes(address);

/** Kinds of addresses that are not those of a peer. The first kind that includes an address decides. */
const KINDS: readonly AddressKind[] = [
  {
    what: 'a loopback address',
    networks: LOOPBACK,
    isAllowed: (address, rules) => rules.allowsLoopback || isListed(address, rules),
  },
  {
    what: 'an address at which clouds give out secrets',
    // Amazon, Google, Azure and most others use the first one; then containers of Amazon, Alibaba, Oracle, Azure.
    networks: new Networks([
      '169.254.169.254',
      '169.254.170.2',
      '169.254.170.23',
      '100.100.100.200',
      '192.0.0.192',
      '168.63.129.16',
      'fd00:ec2::/32',
      'fd20:ce::254',
    ]),
    isAllowed: null,
  },
  { what: 'a link-local address', networks: new Networks(['169.254.0.0/16', 'fe80::/10']), isAllowed: isListed },
  { what: 'not the address of a machine', networks: new Networks(['0.0.0.0/8', '::']), isAllowed: null },
  { what: 'a multicast address', networks: new Networks(['224.0.0.0/4', 'ff00::/8']), isAllowed: null },
  { what: 'a broadcast or reserved address', networks: new Networks(['240.0.0.0/4']), isAllowed: null },
];

/** The code of a call that was not made because of its address. */
export const ADDRESS_REFUSED = 'PEER_ADDRESS_REFUSED';

/** This server does not connect to the address. The message fits behind the name of the peer. */
export class AddressRefused extends Error {
  readonly code = ADDRESS_REFUSED;
}

/** Returns why this server does not connect to an IP address, and null when it does. A name is not judged. */
export function findAddressFault(address: string, rules: AddressRules): AddressRefused | null {
  const kind = KINDS.find(({ networks }) => networks.includes(address));
  if (!kind || kind.isAllowed?.(address, rules) === true) return null;
  const advice =
    kind.isAllowed === null
      ? 'No peer is there; correct the address of the peer'
      : 'If the peer is really there, list the address in ODST_ALLOWED_PEER_ADDRESSES of this server';
  return new AddressRefused(`${address} is ${kind.what}, which this server does not call. ${advice}`);
}

/**
 * Returns why this server does not have a proxy connect to a host, and null when it does. The proxy resolves the names, so
 * only an address that is written as one can be judged here, and `localhost`, which is an address by definition. What a
 * name leads to is for the proxy to judge.
 */
export function findProxiedHostFault(host: string, rules: AddressRules): AddressRefused | null {
  const fault = findAddressFault(isLoopbackName(host) ? '127.0.0.1' : host, rules);
  return fault && isLoopbackName(host) ? new AddressRefused(fault.message.replace('127.0.0.1', host)) : fault;
}

/** The part of `dns.lookup` that is used; tests put their own answers in its place. */
export type ResolveName = (
  name: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Resolves names as `net.connect` asks, and leaves out addresses to which this server does not connect. Since the
 * connection is made to what this returns, another answer of the DNS to another question changes nothing.
 */
export const checkedLookup =
  (rules: () => AddressRules, resolve: ResolveName = lookupName): LookupFunction =>
  (name, options, done) => {
    resolve(name, { ...options, all: true }, (error, found) => {
      if (error) return done(error, '');
      const right = found.filter(({ address }) => findAddressFault(address, rules()) === null);
      const [first] = right;
      if (!first) return done(found[0] ? findAddressFault(found[0].address, rules()) : noAddress(name), '');
      if (options.all === true) done(null, right);
      else done(null, first.address, first.family);
    });
  };

const noAddress = (name: string): Error => new Error(`the DNS knows no address of ${name}`);
