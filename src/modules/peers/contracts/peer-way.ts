/** How a peer is called: at its address, through tunnels that it holds open, or not until it opens one. */
export const PEER_WAYS = ['DIRECT', 'TUNNEL', 'NONE'] as const;
export type PeerWayKind = (typeof PEER_WAYS)[number];
