import { networkInterfaces } from 'node:os';
import type { TunnelProcess } from '../tunnel-table.js';

/** The path under which a process hands tunnels to the others of its server; ends with the id of a peer. */
export const handOverPath = (processId: string): string => `/cluster/v1/tunnels/${processId}/`;

/**
 * Where the other processes of this server find this one: on the port of everything over HTTP, at any address of the
 * machine. Which one is in reach they find out; nothing has to be configured.
 */
export function describeOwnProcess(processId: string, port: number): TunnelProcess {
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((one) => !one.internal);
  return { processId, addresses: ['127.0.0.1', ...outside.filter(isNotLinkLocal).map(({ address }) => address)], port };
}

/** Link-local IPv6 addresses mean something with the name of an interface only. */
const isNotLinkLocal = ({ address }: { readonly address: string }): boolean =>
  !address.toLowerCase().startsWith('fe80:');
