import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Connections } from '../connect/connections.js';

const CLOSE_TIMEOUT_MS = 1_000;

/** For the bind account, and for whose password is checked. */
export async function lendTwo(connections: Connections): Promise<Socket[]> {
  const first = await connections.lend();
  try {
    return [first, await connections.lend()];
  } catch (error) {
    first.destroy();
    throw error;
  }
}

/**
 * Closes what `ldapjs` was given, when that has had time to do it. It takes leave on the first and then on the second, and
 * brings the process down when it writes to one that is closed under it; so one is closed after the other. Never rejects.
 */
export async function closeLent(sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) {
    if (socket.closed) continue;
    const closed = once(socket, 'close').catch(() => undefined);
    const timer = setTimeout(() => socket.destroy(), CLOSE_TIMEOUT_MS);
    await closed;
    clearTimeout(timer);
    await turn();
    await turn();
  }
}
