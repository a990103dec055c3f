import type { RangeProgress } from '../../../ports/peer-transport.port.js';
import { WorkerClient, workerFile } from '../../shared/worker-client.js';
import type { FetchOrder, FetchReport, RateLimit } from './chunk-messages.js';

const MAX_THREADS = 2;

type ChunkThread = WorkerClient<FetchOrder, FetchReport, RangeProgress>;

/** Gives ranges of chunks to a few threads, which are started when they are first needed. */
export class ChunkThreads {
  private readonly threads: ChunkThread[] = [];
  /** By the key of a limit: ranges that share a limit must be fetched in one thread. */
  private readonly threadsByLimit = new Map<string, ChunkThread>();

  /**
   * Fetches one range. When the signal aborts, the range ends early and the report says what had arrived.
   * @throws Error when the thread itself dies
   */
  fetchRange(
    order: FetchOrder,
    signal: AbortSignal,
    onProgress: (progress: RangeProgress) => void,
  ): Promise<FetchReport> {
    return this.threadFor(order.limit).call(order, { signal, onProgress });
  }

  async close(): Promise<void> {
    this.threadsByLimit.clear();
    await Promise.all(this.threads.splice(0).map((thread) => thread.close()));
  }

  private threadFor(limit: RateLimit | null): ChunkThread {
    if (!limit) return this.pickThread();
    const thread = this.threadsByLimit.get(limit.key) ?? this.pickThread();
    this.threadsByLimit.set(limit.key, thread);
    return thread;
  }

  /** Returns an idle thread, a new one while there are too few, or the least busy one. */
  private pickThread(): ChunkThread {
    const idle = this.threads.find((thread) => thread.pendingCalls === 0);
    if (idle) return idle;
    if (this.threads.length < MAX_THREADS) {
      const file = workerFile(import.meta.url, 'chunk-worker');
      this.threads.push(new WorkerClient(file, 'The thread that fetches chunks'));
    }
    return this.threads.reduce((least, thread) => (thread.pendingCalls < least.pendingCalls ? thread : least));
  }
}
