/** Where a server that nobody can call opens its tunnels. */
export const TUNNEL_PATH = '/peer/v1/tunnel';

/** Tunnels that wait for a request, per peer and process: a new one costs round trips, which nobody should wait for. */
export const IDLE_TUNNELS = 4;
/** Open tunnels per peer and process: a feed, and all that is fetched at once, with room to spare. */
export const MAX_TUNNELS = 32;
/** How long a request waits for a tunnel to be free. */
export const TUNNEL_WAIT_MS = 10_000;
