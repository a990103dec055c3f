import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

interface ProxyOptions {
  /** `user:password` that callers have to give. */
  readonly credentials?: string;
  /** Makes it a proxy with an https:// address. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** A proxy as companies have them (RFC 9110, 7.6): it alone knows the names of the servers, all of which are on this machine. */
export class OutgoingProxy {
  /** First lines of the requests that it took. */
  readonly requests: string[] = [];
  /** Instead of passing requests on, it answers each with this status. */
  refusal: number | null = null;
  private readonly server: Server;
  private readonly sockets = new Set<Duplex>();

  constructor(private readonly options: ProxyOptions = {}) {
    const { tls } = options;
    this.server = tls ? createHttpsServer(tls) : createServer();
    this.server.on('connection', (socket: Socket) => this.keep(socket));
    this.server.on('request', (request, response) => this.forward(request, response));
    this.server.on('connect', (request, socket) => this.connect(request, socket));
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async start(): Promise<this> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private keep(socket: Duplex): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => this.sockets.delete(socket));
  }

  /** Returns the status of a refusal. Null when the request is passed on. */
  private note({ method, url, headers }: IncomingMessage): number | null {
    this.requests.push(`${method} ${url}`);
    const { credentials } = this.options;
    const wanted = credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
    if (headers['proxy-authorization'] !== wanted) return 407;
    return this.refusal;
  }

  private forward(request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.note(request);
    if (refusal !== null) return void response.writeHead(refusal).end('<html>no</html>');
    const { hostname, port, pathname, search } = new URL(request.url ?? '');
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const target = { host: isName(hostname) ? '127.0.0.1' : hostname, port, path: pathname + search };
    const onward = httpRequest({ ...target, method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
    });
    onward.on('error', () => response.writeHead(502).end());
    request.pipe(onward);
  }

  private connect(request: IncomingMessage, socket: Duplex): void {
    const refusal = this.note(request);
    if (refusal !== null) return void socket.end(`HTTP/1.1 ${refusal} No\r\nContent-Length: 0\r\n\r\n`);
    const { hostname, port } = new URL(`http://${request.url}`);
    const onward = connect(Number(port || 80), isName(hostname) ? '127.0.0.1' : hostname);
    this.keep(onward);
    onward.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.once('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    socket.once('close', () => onward.destroy());
    onward.once('close', () => socket.destroy());
  }
}

const isName = (host: string): boolean => /[a-z]/i.test(host);
