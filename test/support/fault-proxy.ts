import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** May change, or swallow by returning null, what one side sends; `head` is the text of the request it belongs to. */
export type Tamper = (bytes: Buffer, head: string) => Buffer | null;

/** A TCP proxy in front of a server that can see, change, cut and refuse what passes. Knows just enough HTTP to name requests. */
export class FaultProxy {
  port = 0;
  /** First lines of the requests seen, such as `GET /peer/v1/feed HTTP/1.1`. */
  readonly requests: string[] = [];
  /** Full heads of the requests seen. */
  readonly heads: string[] = [];
  /** Called for every piece of an answer. */
  tamper: Tamper = (bytes) => bytes;
  refusing = false;
  /** Takes what both sides send, and passes on nothing. */
  swallowing = false;
  /** Bytes of package content that have passed, with the heads of their answers. */
  contentBytes = 0;
  /** Bytes of package content a second; null as fast as it goes. */
  contentRate: number | null = null;
  private contentLimit = Number.POSITIVE_INFINITY;
  private freeAt = 0;
  private readonly server: Server;
  private readonly open = new Set<{ client: Socket; upstream: Socket; head: string }>();

  constructor(private readonly target: () => number) {
    this.server = createServer((client) => this.accept(client));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    this.port = address.port;
    return this;
  }

  /** Cuts every connection whose last request matches. Returns how many there were. */
  cut(pattern: RegExp): number {
    const hit = [...this.open].filter(({ head }) => pattern.test(head));
    for (const { client, upstream } of hit) {
      client.resetAndDestroy();
      upstream.destroy();
    }
    return hit.length;
  }

  /** Holds content back once so many bytes of it have passed; raise it to let it go on. */
  limitContent(bytes: number): void {
    this.contentLimit = bytes;
    if (this.contentBytes < bytes) for (const { upstream } of this.open) upstream.resume();
  }

  async stop(): Promise<void> {
    this.cut(/(?:)/);
    this.server.close();
    await once(this.server, 'close');
  }

  private meter(upstream: Socket, length: number): void {
    this.contentBytes += length;
    if (this.contentBytes >= this.contentLimit) return void upstream.pause();
    if (this.contentRate === null) return;
    this.freeAt = Math.max(Date.now(), this.freeAt) + (length / this.contentRate) * 1_000;
    upstream.pause();
    setTimeout(() => this.contentBytes < this.contentLimit && upstream.resume(), this.freeAt - Date.now());
  }

  private accept(client: Socket): void {
    if (this.refusing) return void client.resetAndDestroy();
    const upstream = connect(this.target(), '127.0.0.1');
    const pair = { client, upstream, head: '' };
    this.open.add(pair);
    client.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (/^[A-Z]+ \/\S* HTTP\/1\.1\r\n/.test(text)) {
        pair.head = end < 0 ? text : text.slice(0, end);
        this.heads.push(pair.head);
        this.requests.push(pair.head.split('\r\n')[0] ?? '');
      }
      if (!this.swallowing) upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      const passed = this.swallowing ? null : this.tamper(bytes, pair.head);
      if (passed && pair.head.includes('/content')) this.meter(upstream, passed.length);
      if (passed && !client.write(passed)) {
        upstream.pause();
        client.once('drain', () => this.contentBytes < this.contentLimit && upstream.resume());
      }
    });
    const close = () => {
      this.open.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) socket.on('close', close).on('error', close);
  }
}
