import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Certificates } from '../certificates.js';

const START_TLS = Buffer.from('1.3.6.1.4.1.1466.20037');
const SUCCESS = Buffer.from([0x30, 0x0c, 0x02, 0x01, 0x01, 0x78, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00]);
const CLIENT_HELLO = 0x16;

/** In front of a server without StartTLS. Plain connections pass through. */
export class StartTlsFront {
  /** What came in plain text where TLS was to begin. */
  readonly leaked: Buffer[] = [];
  readonly seen: Buffer[] = [];

  private constructor(
    private readonly server: Server,
    private readonly sockets: Set<Socket>,
  ) {}

  static async start(behind: number, tls: Certificates, answer = SUCCESS): Promise<StartTlsFront> {
    const sockets = new Set<Socket>();
    const server = createServer();
    const front = new StartTlsFront(server, sockets);
    const context = createSecureContext({ cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) });
    server.on('connection', (socket) => {
      front.keep(socket);
      socket.once('data', (first) => {
        front.seen.push(first);
        if (!first.includes(START_TLS)) return front.pass(socket, behind, first);
        // Whatever stands behind the request was sent before the answer.
        const rest = first.subarray(2 + (first[1] ?? 0));
        if (rest.length > 0) front.leaked.push(rest);
        socket.write(answer);
        socket.once('readable', () => {
          const next = socket.read() as Buffer | null;
          if (next === null) return;
          if (next[0] !== CLIENT_HELLO) front.leaked.push(next);
          socket.unshift(next);
          const secured = front.keep(new TLSSocket(socket, { isServer: true, secureContext: context }));
          front.pass(secured, behind);
        });
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return front;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private pass(socket: Socket, behind: number, first?: Buffer): void {
    const inner = this.keep(connect(behind, '127.0.0.1'));
    if (first) inner.write(first);
    socket.pipe(inner).pipe(socket);
    socket.once('close', () => inner.destroy());
    inner.once('close', () => socket.destroy());
  }

  private keep<T extends Socket>(socket: T): T {
    this.sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
    return socket;
  }
}
