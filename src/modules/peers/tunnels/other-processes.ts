import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import { Refusal } from '../../../kernel/errors.js';
import type { RequestSigner } from '../../../ports/request-signer.port.js';
import type { TunnelProcess } from './tunnel-table.js';

/** The path at which a process hands tunnels to other processes of its server. The id of the peer is appended to it. */
export const handOverPath = (processId: string): string => `/cluster/v1/tunnels/${processId}/`;

/**
 * Describes how other processes of this server reach this one: at the HTTP port, at each address of the machine. The
 * others try the addresses in turn, so that nothing has to be configured.
 */
export function describeOwnProcess(processId: string, port: number): TunnelProcess {
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((one) => !one.internal);
  return { processId, addresses: ['127.0.0.1', ...outside.filter(isNotLinkLocal).map(({ address }) => address)], port };
}

/** A link-local IPv6 address is useless without the name of a network interface. */
const isNotLinkLocal = ({ address }: { readonly address: string }): boolean =>
  !address.toLowerCase().startsWith('fe80:');

/** The time to wait for a connection. A process on the same network answers at once. */
const CONNECT_TIMEOUT_MS = 1_500;

export const HAND_OVER_PROTOCOL = 'odst-tunnel';

interface WantedTunnel {
  readonly peerId: string;
  /** Id of this server. */
  readonly serverId: string;
  readonly signal: AbortSignal;
  /** True when the processes of this server serve HTTPS. */
  readonly secure: boolean;
}

/** Resolves with a tunnel of the peer that ends in another process of this server. @throws Refusal UNAVAILABLE */
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
  throw new Refusal('UNAVAILABLE', 'The process of this server in which the tunnels of the peer end does not answer.');
}

/** Resolves with null when another process answers at this address, or when the process has no tunnel of the peer. */
async function requestTunnel(
  host: string,
  processId: string,
  { peerId, serverId, signal, secure }: WantedTunnel,
  signer: RequestSigner,
): Promise<Duplex | null> {
  const url = `${secure ? 'https' : 'http'}://${host}${handOverPath(processId)}${peerId}`;
  const signed = signer.sign({ method: 'GET', url, to: serverId });
  const options = { headers: { connection: 'Upgrade', upgrade: HAND_OVER_PROTOCOL, ...signed }, agent: false as const };
  // The certificate names the server, not this address. Each call in the tunnel is signed, so this connection need not be trusted.
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
