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
