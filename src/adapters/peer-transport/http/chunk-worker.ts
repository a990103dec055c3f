import { closeSync, openSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { ByteBucket } from '../../../kernel/byte-bucket.js';
import { messageOf } from '../../../kernel/errors.js';
import { CHUNK_SIZE } from '../../../kernel/chunk-ranges.js';
import { Connection } from './chunk-connection.js';
import type {
  AbortOrder,
  FetchOrder,
  FetchProgress,
  FetchReport,
  Origin,
  RateLimit,
  Timeouts,
} from './chunk-messages.js';
import { type RangeEnd, RangeReceiver } from './range-receiver.js';

/** A server closes idle connections after 5 s by default; ours go before. */
const IDLE_TIMEOUT_MS = 4_000;
const MAX_IDLE = 4;

/** Connections by origin. Open ones are as many as there are runs under way; idle ones are few and soon closed. */
class ConnectionPool {
  private readonly idle = new Map<string, Connection[]>();

  /** An idle connection, or a new one when there is none. */
  take(origin: Origin, timeouts: Timeouts): Connection {
    const waiting = this.idle.get(originKey(origin)) ?? [];
    for (let found = waiting.pop(); found; found = waiting.pop()) if (!found.closed) return found;
    return new Connection(origin, timeouts);
  }

  give(origin: Origin, connection: Connection): void {
    const waiting = (this.idle.get(originKey(origin)) ?? []).filter((one) => !one.closed);
    if (waiting.length >= MAX_IDLE) return connection.close('not needed');
    this.idle.set(originKey(origin), [...waiting, connection]);
    const { uses } = connection;
    setTimeout(() => this.drop(origin, connection, uses), IDLE_TIMEOUT_MS).unref();
  }

  private drop(origin: Origin, connection: Connection, uses: number): void {
    if (connection.uses !== uses) return;
    connection.close('idle');
    const left = (this.idle.get(originKey(origin)) ?? []).filter((one) => one !== connection);
    if (left.length > 0) this.idle.set(originKey(origin), left);
    else this.idle.delete(originKey(origin));
  }
}

const originKey = ({ secure, host, port }: Origin): string => `${secure ? 'https' : 'http'}://${host}:${port}`;

const buckets = new Map<string, ByteBucket>();

/** The bucket of this thread that all runs with the key of the limit share, at the rate that was heard of last. */
function bucketOf({ key, bytesPerSecond }: RateLimit): ByteBucket {
  const bucket = buckets.get(key) ?? new ByteBucket(bytesPerSecond);
  bucket.bytesPerSecond = bytesPerSecond;
  buckets.set(key, bucket);
  return bucket;
}

/** Chunk buffers that are not in use; as many as there were ever runs at once in this thread. */
const spareBuffers: Buffer[] = [];

/** A slow run is told of so often. */
const PROGRESS_INTERVAL_MS = 250;

/** Carries out one order; calls back with its progress and once with the report, and returns the way to stop it. */
function fetchRange(
  order: FetchOrder,
  connections: ConnectionPool,
  tell: (message: FetchReport | FetchProgress) => void,
): (reason: string) => void {
  let fd: number;
  try {
    fd = openSync(order.path, 'r+');
  } catch (error) {
    tell({
      kind: 'report',
      id: order.id,
      verified: [],
      rejected: [],
      failure: { kind: 'local', message: messageOf(error) },
    });
    return () => undefined;
  }
  const buffer = spareBuffers.pop() ?? Buffer.allocUnsafeSlow(CHUNK_SIZE);
  const fetching = new RangeFetch(order, connections, fd, buffer, (message) => {
    if (message.kind === 'report') {
      closeSync(fd);
      spareBuffers.push(buffer);
    }
    tell(message);
  });
  fetching.start(order.heads[0]);
  return (reason) => fetching.stop(reason);
}

/** So many runs at most share a limit at once, and may each have to wait for all others. */
const MAX_RANGES = 64;
/** Bytes per second: a peer that says less is not waited for any longer. No limit is lower than that. */
const MIN_BYTES_PER_SECOND = 16 * 1024;
const MAX_TIMER_MS = 3_600_000;

class RangeFetch {
  private receiver: RangeReceiver | null = null;
  private readonly since = performance.now();
  private deadline: NodeJS.Timeout;
  private readonly telling: NodeJS.Timeout;

  constructor(
    private readonly order: FetchOrder,
    private readonly connections: ConnectionPool,
    private readonly fd: number,
    private readonly buffer: Buffer,
    private readonly tell: (message: FetchReport | FetchProgress) => void,
  ) {
    this.deadline = this.endAfter(order.timeouts.rangeMs);
    this.telling = setInterval(() => this.sendProgress(), PROGRESS_INTERVAL_MS);
  }

  start(head: string): void {
    const connection = this.connections.take(this.order.origin, this.order.timeouts);
    const receiver = new RangeReceiver(this.order, this.fd, this.buffer, (end) => {
      const stale = end.untouched && connection.uses > 1 && head === this.order.heads[0];
      if (end.reusable) connection.release();
      else connection.close('not usable any more');
      if (stale) return this.start(this.order.heads[1]);
      if (end.reusable) this.connections.give(this.order.origin, connection);
      this.done(receiver, end);
    });
    this.receiver = receiver;
    connection.request(head, receiver, this.order.limit && bucketOf(this.order.limit));
  }

  stop(reason: string): void {
    this.receiver?.stop(reason);
  }

  private endAfter(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.endWhenTooSlow(), ms);
  }

  /** A limit, ours or the peer's, lets runs take longer. */
  private endWhenTooSlow(): void {
    const { limit, run, timeouts } = this.order;
    const lower = Math.min(limit?.bytesPerSecond ?? Infinity, this.receiver?.announcedRate ?? Infinity);
    const rate = Math.max(MIN_BYTES_PER_SECOND, lower);
    const patience = Math.max(timeouts.rangeMs, ((run.count * CHUNK_SIZE * MAX_RANGES) / rate) * 1000);
    const left = patience - (performance.now() - this.since);
    if (left < 1) return this.stop(`took longer than ${Math.round(patience / 100) / 10} seconds for one run of chunks`);
    this.deadline = this.endAfter(Math.min(left, MAX_TIMER_MS));
  }

  private sendProgress(): void {
    const { received = 0, verified = [] } = this.receiver ?? {};
    this.tell({ kind: 'progress', id: this.order.id, received, verified });
  }

  private done({ verified, rejected }: RangeReceiver, { failure }: RangeEnd): void {
    clearTimeout(this.deadline);
    clearInterval(this.telling);
    this.tell({ kind: 'report', id: this.order.id, verified, rejected, failure });
  }
}

/** The thread: fetches, verifies and writes runs of chunks, away from the thread that serves requests. */
const pool = new ConnectionPool();
const stops = new Map<number, (reason: string) => void>();

parentPort?.on('message', (order: FetchOrder | AbortOrder) => {
  if (order.kind === 'abort') return stops.get(order.id)?.('stopped');
  const stop = fetchRange(order, pool, (message: FetchReport | FetchProgress) => {
    if (message.kind === 'report') stops.delete(order.id);
    parentPort?.postMessage(message);
  });
  stops.set(order.id, stop);
});
