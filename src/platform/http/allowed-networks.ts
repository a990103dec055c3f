import { BlockList, isIP } from 'node:net';
import { Refusal } from '../../kernel/errors.js';

const familyOf = (address: string): 'ipv4' | 'ipv6' | null =>
  ({ 0: null, 4: 'ipv4', 6: 'ipv6' } as const)[isIP(address) as 0 | 4 | 6];

interface Network {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly bits: number;
}

function parseNetwork(text: string): Network {
  const [address = '', bits, ...more] = text.split('/');
  const kind = familyOf(address);
  const most = kind === 'ipv6' ? 128 : 32;
  const isNumber = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  if (kind === null || !isNumber || more.length > 0) {
    throw new Refusal(
      'INVALID_REQUEST',
      `${JSON.stringify(text.slice(0, 60))} is no address and no network such as 10.0.0.0/8 or 2001:db8::/32.`,
    );
  }
  return { address, family: kind, bits: bits === undefined ? most : Number(bits) };
}

/** A list of addresses (IPv4 or IPv6) and CIDR ranges from which something is allowed. */
export class AllowedNetworks {
  private readonly list = new BlockList();

  /** @throws Refusal INVALID_REQUEST when an item is neither an address nor a CIDR range */
  constructor(networks: readonly string[]) {
    for (const { address, family: kind, bits } of networks.map(parseNetwork)) this.list.addSubnet(address, bits, kind);
  }

  /** True when the list includes an address. It never includes null or text that is not an address. */
  include(address: string | null): boolean {
    const kind = address === null ? null : familyOf(address);
    return address !== null && kind !== null && this.list.check(address, kind);
  }
}
