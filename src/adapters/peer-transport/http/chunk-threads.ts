import { Worker } from 'node:worker_threads';
import { workerFile } from '../../shared/worker-file.js';
import type { RangeProgress } from '../../../ports/peer-transport.port.js';
import type { AbortOrder, FetchOrder, FetchProgress, FetchReport, RateLimit } from './chunk-messages.js';

const MAX_THREADS = 2;

interface PendingFetch {
  readonly resolve: (report: FetchReport) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: ProgressListener;
}

type ProgressListener = (progress: RangeProgress) => void;

/** Gives runs of chunks to a few threads, started when the first one is needed. */
export class ChunkThreads {
  private readonly threads: ChunkThread[] = [];
  private lastId = 0;
  /** By the key of a limit: what shares one has to be in one thread. */
  private readonly limited = new Map<string, ChunkThread>();

  /** What came of the run. @throws Error when the thread itself died */
  async fetch(
    order: Omit<FetchOrder, 'id' | 'kind'>,
    signal: AbortSignal,
    onProgress: ProgressListener = () => undefined,
  ): Promise<FetchReport> {
    const id = ++this.lastId;
    const thread = this.threadFor(order.limit);
    const abort = () => thread.send({ kind: 'abort', id });
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await thread.fetch({ ...order, kind: 'fetch', id }, onProgress);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.splice(0).map((thread) => thread.close()));
  }

  private threadFor(limit: RateLimit | null): ChunkThread {
    if (!limit) return this.pick();
    const known = this.limited.get(limit.key);
    const thread = known && !known.dead ? known : this.pick();
    this.limited.set(limit.key, thread);
    return thread;
  }

  /** The least busy living thread, or a new one while there are too few. */
  private pick(): ChunkThread {
    const living = this.threads.filter((thread) => !thread.dead);
    const free = living.find((thread) => thread.busy === 0);
    if (free) return free;
    if (living.length < MAX_THREADS) living.push(new ChunkThread());
    this.threads.splice(0, this.threads.length, ...living);
    return living.reduce((least, thread) => (thread.busy < least.busy ? thread : least));
  }
}

class ChunkThread {
  dead = false;
  private readonly worker = new Worker(workerFile(import.meta.url, 'chunk-worker'));
  private readonly waiting = new Map<number, PendingFetch>();

  constructor() {
    this.worker.on('message', (message: FetchReport | FetchProgress) => this.receive(message));
    this.worker.on('error', (error) => this.die(error instanceof Error ? error : new Error(String(error))));
    this.worker.on('exit', (code) => this.die(new Error(`The thread that fetches chunks ended with code ${code}`)));
    this.worker.unref();
  }

  get busy(): number {
    return this.waiting.size;
  }

  fetch(order: FetchOrder, onProgress: ProgressListener): Promise<FetchReport> {
    return new Promise((resolve, reject) => {
      this.waiting.set(order.id, { resolve, reject, onProgress });
      this.worker.ref();
      this.send(order);
    });
  }

  send(order: FetchOrder | AbortOrder): void {
    this.worker.postMessage(order);
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }

  private receive(message: FetchReport | FetchProgress): void {
    if (message.kind === 'report') this.settle(message);
    else this.waiting.get(message.id)?.onProgress(message);
  }

  private settle(report: FetchReport): void {
    const waiting = this.waiting.get(report.id);
    this.waiting.delete(report.id);
    if (this.waiting.size === 0) this.worker.unref();
    waiting?.resolve(report);
  }

  private die(error: Error): void {
    this.dead = true;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
