import type { RedisOptions } from 'ioredis';

/** How long one connection attempt may take, and the longest break between two. */
const CONNECT_TIMEOUT_MS = 3_000;
const MAX_RECONNECT_DELAY_MS = 1_000;
/** A connection that answers nothing for so long is dead; Bull's blocking calls end every 5 s. */
const IDLE_TIMEOUT_MS = 15_000;

/** `redis://user:password@host:6379/0`, or `rediss://` for TLS, as options of ioredis. */
export function redisOptions(redisUrl: string): RedisOptions {
  const { protocol, hostname, port, username, password, pathname } = new URL(redisUrl);
  const host = hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port: Number(port || 6379),
    db: Number(pathname.slice(1) || 0),
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' && { tls: { servername: host } }),
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: IDLE_TIMEOUT_MS,
    keepAlive: 10_000,
    // What was asked while Redis is away fails with the next attempt to connect, instead of waiting for its return.
    maxRetriesPerRequest: 1,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), MAX_RECONNECT_DELAY_MS),
  };
}

/** Host and port, for messages: never the password. */
export function redisAddress(redisUrl: string): string {
  const { host, port } = redisOptions(redisUrl);
  return `${host}:${port}`;
}
