import { closeSync, openSync, writeSync } from 'node:fs';
import { ByteBucket } from '../../../kernel/byte-bucket.js';
import { messageOf } from '../../../kernel/errors.js';
import { CHUNK_SIZE } from '../../../kernel/chunk-ranges.js';
import { serveCalls, type CallContext } from '../../shared/worker-client.js';
import { Connection } from './chunk-connection.js';
import type { FetchOrder, FetchProgress, FetchReport, Origin, RateLimit, Timeouts } from './chunk-messages.js';
import { nameOf } from './proxies.js';
import { type RangeEnd, RangeReceiver } from './range-receiver.js';

/** Servers close idle connections after 5 s by default; this pool closes them earlier. */
const IDLE_TIMEOUT_MS = 4_000;
const MAX_IDLE = 4;

/** Connections by origin. Each range uses one at a time; few are kept idle, and only for a short time. */
class ConnectionPool {
  private readonly idle = new Map<string, Connection[]>();

  /** Returns an idle connection, or a new one when there is none. */
  takeConnection(origin: Origin, timeouts: Timeouts): Connection {
    const waiting = this.idle.get(originKey(origin)) ?? [];
    for (let found = waiting.pop(); found; found = waiting.pop()) if (!found.closed) return found;
    return new Connection(origin, timeouts);
  }

  giveBack(origin: Origin, connection: Connection): void {
    const waiting = (this.idle.get(originKey(origin)) ?? []).filter((one) => !one.closed);
    if (waiting.length >= MAX_IDLE) return connection.close('not needed');
    this.idle.set(originKey(origin), [...waiting, connection]);
    const { uses } = connection;
    setTimeout(() => this.closeIdle(origin, connection, uses), IDLE_TIMEOUT_MS).unref();
  }

  private closeIdle(origin: Origin, connection: Connection, uses: number): void {
    if (connection.uses !== uses) return;
    connection.close('idle');
    const left = (this.idle.get(originKey(origin)) ?? []).filter((one) => one !== connection);
    if (left.length > 0) this.idle.set(originKey(origin), left);
    else this.idle.delete(originKey(origin));
  }
}

const originKey = ({ secure, host, port, through }: Origin): string =>
  `${secure ? 'https' : 'http'}://${nameOf({ host, port })}${through ? ` through ${nameOf(through)}` : ''}`;

const buckets = new Map<string, ByteBucket>();

/** Returns the bucket that all ranges with the key of the limit share in this thread, at the latest rate. */
function bucketOf({ key, bytesPerSecond }: RateLimit): ByteBucket {
  const bucket = buckets.get(key) ?? new ByteBucket(bytesPerSecond);
  bucket.bytesPerSecond = bytesPerSecond;
  buckets.set(key, bucket);
  return bucket;
}

const pool = new ConnectionPool();

/** Chunk buffers that are not in use: at most as many as ranges have been fetched at once in this thread. */
const spareBuffers: Buffer[] = [];

const PROGRESS_INTERVAL_MS = 250;
/** At most as many ranges share a limit at once, and each may have to wait for all others. */
const MAX_RANGES = 64;
/** The thread does not wait longer for a peer that announces less than this rate. No limit of ours is lower. */
const MIN_BYTES_PER_SECOND = 16 * 1024;
const MAX_TIMER_MS = 3_600_000;

/** The target of the verified chunks of one order. */
interface ChunkTarget {
  storeChunk(chunk: number, bytes: Buffer): void;
  close(): void;
}

/** Opens the local file, or hands the chunks over when there is none. */
function openTarget({ path }: FetchOrder, context: CallContext<FetchProgress>): ChunkTarget {
  if (path === null) {
    return {
      storeChunk: (chunk, bytes) => context.reportProgress({ chunk, bytes: new Uint8Array(bytes) }),
      close: () => undefined,
    };
  }
  const fd = openSync(path, 'r+');
  return {
    storeChunk: (chunk, bytes) => writeAll(fd, bytes, chunk * CHUNK_SIZE),
    close: () => closeSync(fd),
  };
}

function writeAll(fd: number, bytes: Buffer, position: number): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(fd, bytes, written, bytes.length - written, position + written);
  }
}

/** Fetches, verifies and stores the chunks of one order, and reports the result of each. */
async function fetchRange(order: FetchOrder, context: CallContext<FetchProgress>): Promise<FetchReport> {
  let target: ChunkTarget;
  try {
    target = openTarget(order, context);
  } catch (error) {
    return { verified: [], rejected: [], failure: { kind: 'local', message: messageOf(error) } };
  }
  const buffer = spareBuffers.pop() ?? Buffer.allocUnsafeSlow(CHUNK_SIZE);
  try {
    return await new Promise<FetchReport>((resolve) => new RangeFetch(order, context, target, buffer, resolve).start());
  } finally {
    target.close();
    spareBuffers.push(buffer);
  }
}

class RangeFetch {
  private receiver: RangeReceiver | null = null;
  private readonly startedAt = performance.now();
  private deadline: NodeJS.Timeout;
  private readonly progressTimer: NodeJS.Timeout;

  constructor(
    private readonly order: FetchOrder,
    private readonly context: CallContext<FetchProgress>,
    private readonly target: ChunkTarget,
    private readonly buffer: Buffer,
    private readonly onReport: (report: FetchReport) => void,
  ) {
    this.deadline = this.setDeadline(order.timeouts.rangeMs);
    this.progressTimer = setInterval(() => this.sendProgress(), PROGRESS_INTERVAL_MS);
  }

  start(): void {
    this.context.signal.addEventListener('abort', () => this.receiver?.stopEarly('stopped'), { once: true });
    this.sendRequest(this.order.heads[0]);
  }

  /** A connection that the peer has closed while it was idle fails at once. The second head is for that case. */
  private sendRequest(head: string): void {
    const connection = pool.takeConnection(this.order.origin, this.order.timeouts);
    const receiver = new RangeReceiver(this.order, this.target.storeChunk, this.buffer, (end) => {
      const isStale = end.untouched && connection.uses > 1 && head === this.order.heads[0];
      if (end.reusable) connection.release();
      else connection.close('cannot be used any more');
      if (isStale) return this.sendRequest(this.order.heads[1]);
      if (end.reusable) pool.giveBack(this.order.origin, connection);
      this.reportEnd(receiver, end);
    });
    this.receiver = receiver;
    connection.sendRequest(head, receiver, this.order.limit && bucketOf(this.order.limit));
  }

  private setDeadline(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.stopIfTooSlow(), ms);
  }

  /** A limit, ours or the peer's, lets a range take longer. */
  private stopIfTooSlow(): void {
    const { limit, range, timeouts } = this.order;
    const lower = Math.min(limit?.bytesPerSecond ?? Infinity, this.receiver?.announcedRate ?? Infinity);
    const rate = Math.max(MIN_BYTES_PER_SECOND, lower);
    const timeoutMs = Math.max(timeouts.rangeMs, ((range.count * CHUNK_SIZE * MAX_RANGES) / rate) * 1000);
    const leftMs = timeoutMs - (performance.now() - this.startedAt);
    if (leftMs >= 1) this.deadline = this.setDeadline(Math.min(leftMs, MAX_TIMER_MS));
    else
      this.receiver?.stopEarly(`took longer than ${Math.round(timeoutMs / 100) / 10} seconds for one range of chunks`);
  }

  private sendProgress(): void {
    const { received = 0, verified = [] } = this.receiver ?? {};
    this.context.reportProgress({ received, verified });
  }

  private reportEnd({ verified, rejected }: RangeReceiver, { failure }: RangeEnd): void {
    clearTimeout(this.deadline);
    clearInterval(this.progressTimer);
    this.onReport({ verified, rejected, failure });
  }
}

serveCalls(fetchRange);
