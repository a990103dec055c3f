import { Connection } from './connection.js';
import type { Origin, Timeouts } from './messages.js';

/** A server closes idle connections after 5 s by default; ours go before. */
const KEEP_IDLE_MS = 4_000;
const MOST_IDLE = 4;

/** Connections by origin. Open ones are as many as there are runs under way; idle ones are few and soon closed. */
export class Connections {
  private readonly idle = new Map<string, Connection[]>();

  /** An idle connection, or a new one when there is none. */
  take(origin: Origin, timeouts: Timeouts): Connection {
    const waiting = this.idle.get(keyOf(origin)) ?? [];
    for (let found = waiting.pop(); found; found = waiting.pop()) if (!found.closed) return found;
    return new Connection(origin, timeouts);
  }

  give(origin: Origin, connection: Connection): void {
    const waiting = (this.idle.get(keyOf(origin)) ?? []).filter((one) => !one.closed);
    if (waiting.length >= MOST_IDLE) return connection.close('not needed');
    this.idle.set(keyOf(origin), [...waiting, connection]);
    const { uses } = connection;
    setTimeout(() => this.drop(origin, connection, uses), KEEP_IDLE_MS).unref();
  }

  private drop(origin: Origin, connection: Connection, uses: number): void {
    if (connection.uses !== uses) return;
    connection.close('idle');
    const left = (this.idle.get(keyOf(origin)) ?? []).filter((one) => one !== connection);
    if (left.length > 0) this.idle.set(keyOf(origin), left);
    else this.idle.delete(keyOf(origin));
  }
}

const keyOf = ({ secure, host, port }: Origin): string => `${secure ? 'https' : 'http'}://${host}:${port}`;
