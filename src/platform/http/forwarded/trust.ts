import proxyAddr from 'proxy-addr';

/** Is this the address of a proxy that we believe? `hop` counts from the connection on. */
export type Trust = (address: string, hop: number) => boolean;

/** Null when there are none. @throws TypeError for what is neither an address, a CIDR range nor a known name */
export const trustOf = (proxies: readonly string[]): Trust | null =>
  proxies.length === 0 ? null : proxyAddr.compile([...proxies]);

/** Are all of these addresses, CIDR ranges, or `loopback`, `linklocal`, `uniquelocal`? */
export function areProxies(list: readonly string[]): boolean {
  try {
    return trustOf(list) !== null;
  } catch {
    return false;
  }
}
