/** UNREGISTERED peers are remembered by name only; nothing is exchanged with them. */
export const PEER_STATES = ['REGISTERED', 'SUSPENDED', 'UNREGISTERED'] as const;
export type PeerState = (typeof PEER_STATES)[number];
