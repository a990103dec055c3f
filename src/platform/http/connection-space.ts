import type { IncomingMessage } from 'node:http';
import type { Server, Socket } from 'node:net';
import { type PublicError, refuseOutOfFiles } from './errors/public-error.js';

/** Health checks are answered on every connection: they say what is wrong. */
const ALWAYS_ANSWERED = /^\/health\//;

/**
 * Keeps files of the process free for the databases and the packages. Each connection is a file, and without a free one the
 * system closes further connections without an answer, and the package of a download cannot be opened. So the requests on
 * connections beyond a maximum are refused while other connections last.
 */
export class ConnectionSpace {
  private open = 0;
  private readonly late = new WeakSet<Socket>();

  constructor(private readonly max: number) {}

  /** Counts the connections of a server. `event` is the one that brings the sockets of its requests. */
  watch(server: Server, event: 'connection' | 'secureConnection'): void {
    server.on(event, (socket: Socket) => {
      this.open += 1;
      socket.once('close', () => (this.open -= 1));
      if (this.open > this.max) this.late.add(socket);
    });
  }

  /** The refusal of a request on a connection for which there is no space; null for any other request. */
  findRefusal({ socket, url = '' }: Pick<IncomingMessage, 'socket' | 'url'>): PublicError | null {
    return this.late.has(socket) && !ALWAYS_ANSWERED.test(url) ? refuseOutOfFiles() : null;
  }
}
