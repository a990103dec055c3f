import { connect as connectTcp, isIP, type OnReadOpts, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ByteBucket } from '../../../kernel/byte-bucket.js';
import type { Origin, Timeouts } from './chunk-messages.js';
import { failureReason } from './failure-reason.js';
import { AddressRefused, checkedLookup, findAddressFault, findProxiedHostFault } from './peer-addresses.js';
import { dialThrough, type Proxy } from './proxies.js';

/** The parts of an HTTP/1.1 response head (RFC 9112) that are needed here. */
export interface ResponseHead {
  readonly status: number;
  /** By lower-case name. The values of a repeated header are joined with a comma. */
  readonly headers: ReadonlyMap<string, string>;
}

const STATUS_LINE = /^HTTP\/1\.1 (\d{3})(?: [^\r\n]*)?$/;
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*$/;

/** Parses a response head without its blank line. Returns null when it is not valid. */
function parseResponseHead(text: string): ResponseHead | null {
  const [statusLine = '', ...lines] = text.split('\r\n');
  const status = STATUS_LINE.exec(statusLine)?.[1];
  if (status === undefined) return null;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = HEADER.exec(line) ?? [];
    if (name === undefined || value === undefined) return null;
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return { status: Number(status), headers };
}

/** Describes why a 206 response is not exactly these bytes. Null when it is. */
export function describeWrongRange(head: ResponseHead, first: number, length: number, total: number): string | null {
  const range = `bytes ${first}-${first + length - 1}/${total}`;
  if (head.headers.get('content-range') !== range) return `answered 206 for another range than ${range}`;
  if (head.headers.get('content-length') !== String(length)) return 'answered 206 with another Content-Length';
  if (head.headers.has('transfer-encoding')) return 'answered 206 with a Transfer-Encoding';
  if (head.headers.has('content-encoding')) return 'answered 206 with a Content-Encoding';
  return null;
}

/** True when the connection can carry another request after this response. */
export const keepsAlive = (head: ResponseHead): boolean => !/\bclose\b/i.test(head.headers.get('connection') ?? '');

const MAX_HEAD_BYTES = 16 * 1024;

/** Why a connection ended. `code` is set when it was not made because of its address. */
export interface ConnectionEnd {
  readonly reason: string;
  readonly code: string | null;
}

/** Takes one response. */
export interface ResponseReceiver {
  onHead(head: ResponseHead): void;
  /** Returns where the next bytes of the body are to be written. */
  nextBuffer(): Uint8Array;
  /** Called when `count` bytes have been written there. */
  onBytes(count: number): void;
  /** Called when the connection ends before the response is complete; `untouched` when no byte of it had arrived. */
  onBroken(end: ConnectionEnd, untouched: boolean): void;
}

/**
 * A keep-alive HTTP/1.1 connection that reads bodies directly into the buffers of the receiver, because the body path of
 * an HTTP client costs more than hashing and writing together. The socket asks for its next buffer as soon as it has
 * filled the last one, so between two responses it holds the buffer for heads.
 */
export class Connection {
  private readonly headSpace = Buffer.allocUnsafeSlow(MAX_HEAD_BYTES);
  /** Null while a proxy is making the connection. */
  private socket: Socket | null = null;
  /** The head of a request that waits for the connection. */
  private waitingHead = '';
  private headLength = 0;
  private inBody = false;
  private receiver: ResponseReceiver | null = null;
  private end: ConnectionEnd | null = null;
  private bucket: ByteBucket | null = null;
  private pausing: NodeJS.Timeout | null = null;
  /** Number of requests that the connection has carried. */
  uses = 0;

  constructor(
    origin: Origin,
    private readonly timeouts: Timeouts,
  ) {
    const { through } = origin;
    if (!through) this.useSocket(openSocket(origin, this.reading), origin.secure);
    else void this.dial(origin, through);
  }

  get closed(): boolean {
    return this.end !== null;
  }

  /** With a bucket, the body is not read faster than the bucket allows, and TCP slows the sender down. */
  sendRequest(head: string, receiver: ResponseReceiver, bucket: ByteBucket | null = null): void {
    if (this.end !== null) return receiver.onBroken(this.end, true);
    this.uses += 1;
    this.receiver = receiver;
    this.bucket = bucket;
    if (this.socket) this.socket.write(head, 'latin1');
    else this.waitingHead = head;
  }

  /** Is called when the response is complete. The connection then waits for the next request. */
  release(): void {
    this.receiver = null;
    this.inBody = false;
    this.headLength = 0;
  }

  close(reason: string, code: string | null = null): void {
    if (this.end !== null) return;
    this.end = { reason, code };
    this.socket?.destroy();
    if (this.pausing) clearTimeout(this.pausing);
    const receiver = this.receiver;
    this.receiver = null;
    receiver?.onBroken(this.end, !this.inBody && this.headLength === 0);
  }

  /** Where the socket writes what it reads. */
  private get reading(): OnReadOpts {
    return {
      buffer: () => this.nextSpace(),
      callback: (count) => {
        this.handleBytes(count);
        return true;
      },
    };
  }

  private nextSpace(): Uint8Array {
    return this.inBody && this.receiver ? this.nextBuffer(this.receiver) : this.headSpace.subarray(this.headLength);
  }

  /** A TLS socket over another socket cannot write into the buffers of the receiver, so its bytes are copied. */
  private async dial(origin: Origin, through: Proxy): Promise<void> {
    const { host, port, ca, rules } = origin;
    try {
      const fault = rules && findProxiedHostFault(host, rules);
      if (fault) throw fault;
      const socket = await dialThrough(through, { host, port, timeoutMs: this.timeouts.connectMs, ca });
      if (this.end !== null) return void socket.destroy();
      const secured = connectTls({ socket, ...tlsOptions(origin) });
      secured.on('data', (piece: Buffer) => this.copyBytes(piece));
      this.useSocket(secured, true);
      secured.write(this.waitingHead, 'latin1');
    } catch (error) {
      this.close(failureReason(error), error instanceof AddressRefused ? error.code : null);
    }
  }

  private copyBytes(piece: Buffer): void {
    for (let rest = piece; rest.length > 0 && this.end === null;) {
      const space = this.nextSpace();
      const count = Math.min(space.length, rest.length);
      space.set(rest.subarray(0, count));
      this.handleBytes(count);
      rest = rest.subarray(count);
    }
  }

  private useSocket(socket: Socket, secure: boolean): void {
    this.socket = socket;
    socket.setNoDelay(true);
    const connecting = setTimeout(() => this.close('timed out while connecting'), this.timeouts.connectMs);
    socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(connecting));
    socket.once('close', () => clearTimeout(connecting));
    const { idleMs } = this.timeouts;
    socket.setTimeout(idleMs, () => this.close(`sent nothing for ${idleMs / 1000} seconds`));
    socket.on('error', (error) =>
      this.close(failureReason(error), error instanceof AddressRefused ? error.code : null),
    );
    for (const ending of ['end', 'close']) {
      socket.on(ending, () => this.close('the connection was closed in the middle'));
    }
  }

  private handleBytes(count: number): void {
    if (!this.receiver) return this.close('sent bytes that nobody asked for');
    if (this.inBody) {
      this.receiver.onBytes(count);
      return this.limitRate(count);
    }
    this.headLength += count;
    const end = this.headSpace.subarray(0, this.headLength).indexOf('\r\n\r\n');
    if (end >= 0) return this.beginBody(this.receiver, end);
    if (this.headLength === MAX_HEAD_BYTES) this.close('answered with an oversized head');
  }

  /** Passes on the head, and the bytes of the body that arrived together with it. */
  private beginBody(receiver: ResponseReceiver, end: number): void {
    const head = parseResponseHead(this.headSpace.toString('latin1', 0, end));
    if (!head) return this.close('did not answer with HTTP; is this the right port?');
    this.inBody = true;
    receiver.onHead(head);
    let rest = this.headSpace.subarray(end + 4, this.headLength);
    const brought = rest.length;
    while (rest.length > 0 && this.receiver === receiver) {
      const space = receiver.nextBuffer();
      const count = Math.min(space.length, rest.length);
      space.set(rest.subarray(0, count));
      receiver.onBytes(count);
      rest = rest.subarray(count);
    }
    if (rest.length > 0) return this.close('sent more than it announced');
    this.limitRate(brought);
  }

  private nextBuffer(receiver: ResponseReceiver): Uint8Array {
    const space = receiver.nextBuffer();
    return this.bucket ? space.subarray(0, this.bucket.pieceBytes) : space;
  }

  /**
   * While this side does not read, silence is not the peer's fault. Bytes that TLS has read and not yet decrypted still
   * arrive; then the pause is extended.
   */
  private limitRate(count: number): void {
    const waitMs = this.bucket?.useBytes(count) ?? 0;
    if (waitMs < 1 || !this.receiver) return;
    if (this.pausing) clearTimeout(this.pausing);
    this.socket?.setTimeout(0);
    this.socket?.pause();
    this.pausing = setTimeout(() => {
      this.socket?.setTimeout(this.timeouts.idleMs);
      this.socket?.resume();
    }, waitMs);
  }
}

function openSocket(origin: Origin, onread: OnReadOpts): Socket {
  const { secure, host, port, rules } = origin;
  // A host that is an address is not looked up, so it is judged here.
  const fault = rules && findAddressFault(host, rules);
  if (fault) return new Socket().destroy(fault);
  const check = rules ? { lookup: checkedLookup(() => rules) } : {};
  if (!secure) return connectTcp({ host, port, onread, ...check });
  // Node's types leave `onread` out of the TLS options; the documentation of tls.connect has it.
  const options = { port, onread, ...tlsOptions(origin), ...check };
  return connectTls(options);
}

const tlsOptions = ({ host, ca }: Origin) => ({
  host,
  ALPNProtocols: ['http/1.1'],
  ...(isIP(host) ? {} : { servername: host }),
  ...(ca === undefined ? {} : { ca }),
});
