import { addRange, type ChunkRange } from '../../../kernel/chunk-ranges.js';
import type { ReplicaFile } from '../../../ports/package-storage.port.js';
import type { RangeProgress } from '../../../ports/peer-transport.port.js';
import { WorkerClient, workerFile } from '../../shared/worker-client.js';
import type { FetchOrder, FetchProgress, FetchReport, HandedChunk, RateLimit } from './chunk-messages.js';

const MAX_THREADS = 2;

type ChunkThread = WorkerClient<FetchOrder, FetchReport, FetchProgress>;

/** Writes the verified chunks that a thread hands over. A chunk counts as verified here only when it is written. */
class HandedChunks {
  written: readonly ChunkRange[] = [];
  private readonly writes: Promise<void>[] = [];

  constructor(private readonly file: ReplicaFile) {}

  writeChunk(handed: HandedChunk): void {
    const write = this.writeHanded(handed);
    // Its error is met at the end of the range.
    write.catch(() => undefined);
    this.writes.push(write);
  }

  /** Resolves when every chunk is written. @throws StorageFull and other errors of the storage */
  async finishWriting(): Promise<void> {
    const outcomes = await Promise.allSettled(this.writes);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
  }

  private async writeHanded({ chunk, bytes }: HandedChunk): Promise<void> {
    await this.file.writeVerified(chunk, bytes);
    this.written = addRange(this.written, { first: chunk, count: 1 });
  }
}

/** Gives ranges of chunks to a few threads, which are started when they are first needed. */
export class ChunkThreads {
  private readonly threads: ChunkThread[] = [];
  /** By the key of a limit: ranges that share a limit must be fetched in one thread. */
  private readonly threadsByLimit = new Map<string, ChunkThread>();

  /**
   * Fetches one range of a file. When the signal aborts, the range ends early and the report says what had arrived.
   * @throws Error when the thread itself dies; StorageFull and other errors of a storage without local files
   */
  async fetchRange(
    order: Omit<FetchOrder, 'packageSize' | 'path'>,
    file: ReplicaFile,
    signal: AbortSignal,
    onProgress: (progress: RangeProgress) => void,
  ): Promise<FetchReport> {
    const handed = new HandedChunks(file);
    const isLocal = file.localPath !== null;
    const listen = (progress: FetchProgress): void => {
      if ('bytes' in progress) handed.writeChunk(progress);
      else onProgress(isLocal ? progress : { ...progress, verified: handed.written });
    };
    const target = { packageSize: file.size, path: file.localPath };
    const thread = this.threadFor(order.limit);
    const report = await thread.call({ ...order, ...target }, { signal, onProgress: listen });
    await handed.finishWriting();
    return isLocal ? report : { ...report, verified: handed.written };
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
      const file = workerFile(import.meta.url, 'chunk.worker');
      this.threads.push(new WorkerClient(file, 'The thread that fetches chunks'));
    }
    return this.threads.reduce((least, thread) => (thread.pendingCalls < least.pendingCalls ? thread : least));
  }
}
