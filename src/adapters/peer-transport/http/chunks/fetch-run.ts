import { closeSync, openSync } from 'node:fs';
import { CHUNK_SIZE } from '../../../../ports/package-storage.port.js';
import { messageOf } from '../../../shared/errors.js';
import type { Connections } from './connections.js';
import type { FetchOrder, FetchProgress, FetchReport } from './messages.js';
import { RunReceiver, type RunEnd } from './run-receiver.js';

/** Chunk buffers that are not in use; as many as there were ever runs at once in this thread. */
const spare: Buffer[] = [];

/** A slow run is told of so often. */
const PROGRESS_MS = 250;

/** Carries out one order; calls back with its progress and once with the report, and returns the way to stop it. */
export function fetchRun(
  order: FetchOrder,
  connections: Connections,
  tell: (message: FetchReport | FetchProgress) => void,
): (reason: string) => void {
  let fd: number;
  try {
    fd = openSync(order.path, 'r+');
  } catch (error) {
    tell({ kind: 'report', id: order.id, verified: [], rejected: [], failure: { kind: 'local', message: messageOf(error) } });
    return () => undefined;
  }
  const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_SIZE);
  const fetching = new Fetching(order, connections, fd, buffer, (message) => {
    if (message.kind === 'report') {
      closeSync(fd);
      spare.push(buffer);
    }
    tell(message);
  });
  fetching.start(order.heads[0]);
  return (reason) => fetching.stop(reason);
}

class Fetching {
  private receiver: RunReceiver | null = null;
  private readonly deadline: NodeJS.Timeout;
  private readonly telling: NodeJS.Timeout;

  constructor(
    private readonly order: FetchOrder,
    private readonly connections: Connections,
    private readonly fd: number,
    private readonly buffer: Buffer,
    private readonly tell: (message: FetchReport | FetchProgress) => void,
  ) {
    const { runMs } = order.timeouts;
    this.deadline = setTimeout(() => this.stop(`took longer than ${runMs / 1000} seconds for one run of chunks`), runMs);
    this.telling = setInterval(() => this.tellProgress(), PROGRESS_MS);
  }

  start(head: string): void {
    const connection = this.connections.take(this.order.origin, this.order.timeouts);
    const receiver = new RunReceiver(this.order, this.fd, this.buffer, (end) => {
      const stale = end.untouched && connection.uses > 1 && head === this.order.heads[0];
      if (end.reusable) connection.release();
      else connection.close('not usable any more');
      if (stale) return this.start(this.order.heads[1]);
      if (end.reusable) this.connections.give(this.order.origin, connection);
      this.done(receiver, end);
    });
    this.receiver = receiver;
    connection.request(head, receiver);
  }

  stop(reason: string): void {
    this.receiver?.stop(reason);
  }

  private tellProgress(): void {
    const { received = 0, verified = [] } = this.receiver ?? {};
    this.tell({ kind: 'progress', id: this.order.id, received, verified });
  }

  private done({ verified, rejected }: RunReceiver, { failure }: RunEnd): void {
    clearTimeout(this.deadline);
    clearInterval(this.telling);
    this.tell({ kind: 'report', id: this.order.id, verified, rejected, failure });
  }
}
