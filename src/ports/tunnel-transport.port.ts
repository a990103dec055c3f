import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { PeerContact } from './peer-directory.port.js';

/**
 * The route to a peer: at its address; through a local port that leads to its open tunnels; or not now, because it is
 * behind a firewall and has no tunnel open.
 */
export type PeerRoute =
  | { readonly kind: 'direct' }
  | { readonly kind: 'tunnel'; readonly host: string; readonly port: number }
  | { readonly kind: 'none' };

/** The tunnels that peers hold open to any process of this server. */
export abstract class PeerTunnels {
  /** Returns how the peer is called, as far as this process knows it. */
  abstract routeKindTo(peerId: string): PeerRoute['kind'];
  /** Returns how the peer is called, with the local port of its tunnels. */
  abstract routeTo(peerId: string): Promise<PeerRoute>;
  /** Calls back with the id of a peer that opens its first tunnel. Returns a function that ends this. */
  abstract onArrival(listener: (peerId: string) => void): () => void;
}

/** The reason why one side ends a tunnel: it stops, the other one can call it directly, or there is nothing to exchange. */
export type TunnelEnd = 'stopping' | 'reachable' | 'unwelcome';

/** A connection on which the called server sends requests to the server that opened it, one at a time. */
export interface Tunnel {
  /** Bytes in both directions, as on a TCP connection. `remoteAddress` is the IP address of the other end. */
  readonly stream: Duplex & { readonly remoteAddress: string | undefined };
  /** Resolves with the reason that the other side gave, or null when the tunnel broke or this side ended it. */
  readonly ended: Promise<TunnelEnd | null>;
  /** Resolves with the first bytes from the other side, and never when there are none. */
  readonly taken: Promise<void>;
  /** Ends the tunnel within half a second, even during a request. */
  end(reason: TunnelEnd): void;
}

/** Connections that a server behind a firewall opens to others, so that they can call it. */
export abstract class TunnelTransport {
  /** Opens a tunnel to a peer with a signed call. @throws PeerUnreachable */
  abstract open(peer: PeerContact, signal: AbortSignal): Promise<Tunnel>;

  /** Accepts a tunnel for a call that was authenticated. Does not call back when the caller uses another protocol or has left. */
  abstract accept(request: IncomingMessage, socket: Duplex, head: Buffer, onOpen: (tunnel: Tunnel) => void): void;
}
