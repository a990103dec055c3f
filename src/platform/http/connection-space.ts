import type { IncomingMessage } from 'node:http';
import type { Server, Socket } from 'node:net';
import { Logger } from '@nestjs/common';
import { expectedError, type PublicError } from './errors/public-error.js';

/** The log tells again after this time that connections are refused. */
const TOLD_FOR_MS = 5 * 60_000;
/** Health checks are answered on every connection: they say what is wrong. */
const ALWAYS_ANSWERED = /^\/health\//;

/** What the system would say, had the server waited until no file at all can be opened. */
const tooManyFiles = (): Error => Object.assign(new Error('Too many connections are open'), { code: 'EMFILE' });

/**
 * Keeps files of the process free for the databases and the packages. Each connection is a file, and without a free one the
 * system closes further connections without an answer, and the package of a download cannot be opened. So the requests on
 * connections beyond a maximum are refused while other connections last.
 */
export class ConnectionSpace {
  private readonly logger = new Logger('Http');
  private open = 0;
  private readonly late = new WeakSet<Socket>();
  private toldAt = Number.NEGATIVE_INFINITY;

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
    if (!this.late.has(socket) || ALWAYS_ANSWERED.test(url)) return null;
    this.tell();
    return expectedError(tooManyFiles());
  }

  private tell(): void {
    if (performance.now() - this.toldAt < TOLD_FOR_MS) return;
    this.toldAt = performance.now();
    this.logger.warn(
      `${this.max} connections are open, and further ones are refused. Raise the number of files that this process may open (LimitNOFILE, ulimit -n).`,
    );
  }
}
