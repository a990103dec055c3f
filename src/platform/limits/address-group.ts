import { isIPv6 } from 'node:net';

/** What addresses are counted by: a customer of an internet provider has a whole /64 of IPv6 addresses. */
export function addressGroup(address: string | null): string {
  if (address === null || !isIPv6(address)) return address ?? 'none';
  const [head = '', tail = ''] = address.split('::', 2);
  const [before, after] = [head, tail].map((part) => part.split(':').filter(Boolean)) as [string[], string[]];
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0');
  return [...before, ...zeros, ...after]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
