import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

interface Line {
  readonly client: Socket;
  readonly upstream: Socket;
}

/** The network in front of the server: it can be cut, and it can swallow everything. */
export class Front {
  private readonly lines = new Set<Line>();
  private server: Server | undefined;
  private stalled = false;

  /** Listens, and passes on to the port of the server behind. Returns the port it listens on. */
  async open(port: number, behind: number): Promise<number> {
    this.stalled = false;
    const server = createServer((client) => this.accept(client, behind));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    this.server = server;
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('No port to listen on');
    return address.port;
  }

  async close(): Promise<void> {
    const { server } = this;
    if (!server) return;
    this.server = undefined;
    const closed = once(server, 'close');
    server.close();
    this.cut();
    await closed;
  }

  /** Resets all connections, as a crash or a firewall does. */
  cut(): void {
    for (const { client, upstream } of this.lines) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  }

  /** Connections stay open and new ones are accepted, but not a byte passes: pings are not answered either. */
  stall(): void {
    this.stalled = true;
    for (const line of this.lines) disconnect(line);
  }

  /** What was held back passes now. */
  resume(): void {
    if (!this.stalled) return;
    this.stalled = false;
    for (const line of this.lines) join(line);
  }

  private accept(client: Socket, behind: number): void {
    const line = { client, upstream: connect(behind, '127.0.0.1') };
    this.lines.add(line);
    for (const socket of [line.client, line.upstream]) {
      socket.setNoDelay(true);
      // An error is followed by `close`, which ends both sides.
      socket.on('error', () => undefined);
      socket.on('close', () => this.end(line));
    }
    if (this.stalled) disconnect(line);
    else join(line);
  }

  private end(line: Line): void {
    line.client.destroy();
    line.upstream.destroy();
    this.lines.delete(line);
  }
}

function join({ client, upstream }: Line): void {
  client.pipe(upstream);
  upstream.pipe(client);
}

function disconnect({ client, upstream }: Line): void {
  client.unpipe(upstream).pause();
  upstream.unpipe(client).pause();
}
