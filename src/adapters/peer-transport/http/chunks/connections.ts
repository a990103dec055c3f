import { Connection } from './connection.js';
import type { Origin, Timeouts } from './messages.js';

/** A server closes idle connections after 5 s by default; ours go before. */
const IDLE_TIMEOUT_MS = 4_000;
const MAX_IDLE = 4;

/** Connections by origin. Open ones are as many as there are runs under way; idle ones are few and soon closed. */
export class ConnectionPool {
  private readonly idle = new Map<string, Connection[]>();

  /** An idle connection, or a new one when there is none. */
  take(origin: Origin, timeouts: Timeouts): Connection {
    const waiting = this.idle.get(originKey(origin)) ?? [];
    for (let found = waiting.pop(); found; found = waiting.pop()) if (!found.closed) return found;
    return new Connection(origin, timeouts);
  }

  give(origin: Origin, connection: Connection): void {
    const waiting = (this.idle.get(originKey(origin)) ?? []).filter((one) => !one.closed);
    if (waiting.length >= MAX_IDLE) return connection.close('not needed');
    this.idle.set(originKey(origin), [...waiting, connection]);
    const { uses } = connection;
    setTimeout(() => this.drop(origin, connection, uses), IDLE_TIMEOUT_MS).unref();
  }

  private drop(origin: Origin, connection: Connection, uses: number): void {
    if (connection.uses !== uses) return;
    connection.close('idle');
    const left = (this.idle.get(originKey(origin)) ?? []).filter((one) => one !== connection);
    if (left.length > 0) this.idle.set(originKey(origin), left);
    else this.idle.delete(originKey(origin));
  }
}

const originKey = ({ secure, host, port }: Origin): string => `${secure ? 'https' : 'http'}://${host}:${port}`;
