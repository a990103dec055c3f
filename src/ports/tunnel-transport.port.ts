import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { PeerContact } from './peer-directory.port.js';

/**
 * How a peer is called: at its address; through the tunnels that it holds open here, by way of a local port; or not now,
 * since it is known to be behind a firewall and holds none open.
 */
export type PeerRoute =
  | { readonly kind: 'direct' }
  | { readonly kind: 'tunnel'; readonly host: string; readonly port: number }
  | { readonly kind: 'none' };

/** The tunnels that peers hold open to any process of this server. */
export abstract class PeerTunnels {
  /** The same as far as it is known, without a port. */
  abstract routeKindTo(peerId: string): PeerRoute['kind'];
  abstract routeTo(peerId: string): Promise<PeerRoute>;
  /** Calls back with the id of a peer that had no tunnel open and has one now; returns the way to stop that. */
  abstract onArrival(listener: (peerId: string) => void): () => void;
}

/** Why one side ends a tunnel: it is stopping, the other may call it from now on, or there is nothing to exchange. */
export type TunnelEnd = 'stopping' | 'reachable' | 'unwelcome';

/** One connection that the called server carries requests on to the one that opened it. It carries one at a time. */
export interface Tunnel {
  /** Bytes both ways, as on a TCP connection; `remoteAddress` is the IP address of the other end. */
  readonly stream: Duplex & { readonly remoteAddress: string | undefined };
  /** Resolves with what the other side said when it ended the tunnel, null when it just broke or this side did it. */
  readonly ended: Promise<TunnelEnd | null>;
  /** Resolves with the first bytes from the other side; never when there are none. */
  readonly taken: Promise<void>;
  /** Ends it within half a second, whatever is under way. */
  end(reason: TunnelEnd): void;
}

/** Connections that a server which nobody can call opens to others, so that they can call it on them. */
export abstract class TunnelTransport {
  /** Asks a peer to take a tunnel, by a signed call. @throws PeerUnreachable */
  abstract open(peer: PeerContact, signal: AbortSignal): Promise<Tunnel>;

  /** The other end, for a call that was let in. Calls back unless the caller speaks the wrong protocol or has left. */
  abstract accept(request: IncomingMessage, socket: Duplex, head: Buffer, onOpen: (tunnel: Tunnel) => void): void;
}
