import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What may pass at once after a pause, in seconds of the link's speed. */
const BURST_S = 0.004;

/**
 * A network link to one server: all connections through it share so many bytes a second on the way back, where the
 * bytes of packages go. What is sent to the server is not limited.
 */
export class LimitedLink {
  private readonly server: Server;
  private readonly sources = new Set<Socket>();
  private credit = 0;
  private refilledAt = performance.now();
  private waiting: NodeJS.Timeout | null = null;

  private constructor(
    private readonly targetPort: number,
    private readonly bytesPerSecond: number,
  ) {
    this.server = createServer((client) => this.accept(client));
  }

  /** @param url the server at the link's other end */
  static async open(url: string, bytesPerSecond: number): Promise<LimitedLink> {
    const link = new LimitedLink(Number(new URL(url).port), bytesPerSecond);
    link.server.listen(0, '127.0.0.1');
    await once(link.server, 'listening');
    return link;
  }

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('The link is not open');
    return `http://127.0.0.1:${address.port}`;
  }

  /** Connections that are open stay so until one of their ends closes them. */
  close(): void {
    this.server.close();
  }

  private accept(client: Socket): void {
    const source = connect(this.targetPort, '127.0.0.1');
    this.sources.add(source);
    client.setNoDelay(true);
    source.setNoDelay(true);
    client.pipe(source);
    source.on('data', (bytes: Buffer) => {
      const fits = client.write(bytes);
      if (!fits) client.once('drain', () => this.waiting || source.resume());
      if (!fits || !this.spend(bytes.length)) source.pause();
    });
    const close = () => {
      this.sources.delete(source);
      client.destroy();
      source.destroy();
    };
    for (const socket of [client, source]) socket.on('close', close).on('error', close);
  }

  /** False when the link is used up for now: all connections wait then. */
  private spend(bytes: number): boolean {
    const now = performance.now();
    const earned = ((now - this.refilledAt) / 1000) * this.bytesPerSecond;
    this.credit = Math.min(this.credit + earned, BURST_S * this.bytesPerSecond) - bytes;
    this.refilledAt = now;
    if (this.credit >= 0) return this.waiting === null;
    if (!this.waiting) this.pause();
    return false;
  }

  private pause(): void {
    for (const source of this.sources) source.pause();
    this.waiting = setTimeout(
      () => {
        this.waiting = null;
        for (const source of this.sources) source.resume();
      },
      (-this.credit / this.bytesPerSecond) * 1000,
    );
  }
}
