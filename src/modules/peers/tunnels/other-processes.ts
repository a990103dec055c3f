import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import { Refusal } from '../../../kernel/errors.js';
import type { RequestSigner } from '../../../ports/request-signer.port.js';
import type { TunnelProcess } from './tunnel-table.js';

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

/** Another process on this network answers at once, or is somewhere else. */
const CONNECT_TIMEOUT_MS = 1_500;

export const HAND_OVER_PROTOCOL = 'odst-tunnel';

interface WantedTunnel {
  readonly peerId: string;
  /** The own id of this server. */
  readonly serverId: string;
  readonly signal: AbortSignal;
  /** Do the processes of this server serve HTTPS? */
  readonly secure: boolean;
}

/** A tunnel of the peer that ends in another process of this server. @throws Refusal UNAVAILABLE */
export async function takeFromOtherProcess(
  from: TunnelProcess,
  wanted: WantedTunnel,
  signer: RequestSigner,
): Promise<Duplex> {
  for (const address of from.addresses) {
    const tunnel = await requestTunnel(
      `${isIPv6(address) ? `[${address}]` : address}:${from.port}`,
      from.processId,
      wanted,
      signer,
    );
    if (tunnel) return tunnel;
    wanted.signal.throwIfAborted();
  }
  throw new Refusal('UNAVAILABLE', 'The process of this server that holds the tunnels of the peer does not answer.');
}

/** Null when it is not that process which answers there, or it has no tunnel either. */
async function requestTunnel(
  host: string,
  processId: string,
  { peerId, serverId, signal, secure }: WantedTunnel,
  signer: RequestSigner,
): Promise<Duplex | null> {
  const url = `${secure ? 'https' : 'http'}://${host}${handOverPath(processId)}${peerId}`;
  const signed = signer.sign({ method: 'GET', url, to: serverId });
  const options = { headers: { connection: 'Upgrade', upgrade: HAND_OVER_PROTOCOL, ...signed }, agent: false as const };
  // The certificate is for the server's name, not for this address. Calls in the tunnel are signed one by one.
  const asking = secure ? tlsRequest(url, { ...options, rejectUnauthorized: false }) : request(url, options);
  const connecting = setTimeout(() => asking.destroy(new Error('No answer')), CONNECT_TIMEOUT_MS);
  asking.once('socket', (socket) => socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(connecting)));
  asking.once('response', () => asking.destroy());
  asking.once('close', () => clearTimeout(connecting));
  asking.on('error', () => undefined);
  try {
    const upgraded = once(asking, 'upgrade', { signal }) as Promise<[IncomingMessage, Duplex, Buffer]>;
    const closed = once(asking, 'close', { signal }).then(() => null);
    asking.end();
    const answer = await Promise.race([upgraded, closed]);
    if (!answer) return null;
    const [, socket, head] = answer;
    if (head.length > 0) socket.unshift(head);
    return socket;
  } catch {
    asking.destroy();
    return null;
  }
}
