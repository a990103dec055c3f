/** How a peer is called: at its address, through tunnels that it holds open, or not until it opens one. */
export const PEER_ROUTES = ['DIRECT', 'TUNNEL', 'NONE'] as const;
export type PeerRouteKind = (typeof PEER_ROUTES)[number];
