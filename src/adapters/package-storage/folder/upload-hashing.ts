import { CHUNK_SIZE } from '../../../kernel/chunk-ranges.js';
import { WorkerClient, workerFile } from '../../shared/worker-client.js';

/** A buffer of 1 MiB that the main thread fills and the hash threads read. */
export interface Slab {
  readonly shared: SharedArrayBuffer;
  readonly bytes: Buffer;
}

const makeSlab = (): Slab => {
  const shared = new SharedArrayBuffer(CHUNK_SIZE);
  return { shared, bytes: Buffer.from(shared) };
};

/**
 * The memory of all uploads together: at most `limit` slabs. An upload that finds none waits for its turn. Uploads with
 * half-filled slabs are asked to hand them in then, so that slow senders do not keep fast ones waiting.
 */
export class SlabPool {
  private readonly idle: Slab[] = [];
  private readonly waiting = new Set<(slab: Slab) => void>();
  private readonly holders = new Set<() => void>();
  private made = 0;

  constructor(private readonly limit: number) {}

  /** A free slab; null when there is none, and `waitForSlab` is to be called. */
  takeSlab(): Slab | null {
    if (this.waiting.size > 0) return null;
    const slab = this.idle.pop();
    if (slab || this.made === this.limit) return slab ?? null;
    this.made += 1;
    return makeSlab();
  }

  /** Calls back with the next slab that becomes free, in the order of the calls. Returns a function that ends the wait. */
  waitForSlab(ready: (slab: Slab) => void): () => void {
    this.waiting.add(ready);
    for (const handIn of this.holders) handIn();
    return () => void this.waiting.delete(ready);
  }

  giveBack(slab: Slab): void {
    const [next] = this.waiting;
    if (!next) {
      this.idle.push(slab);
      return;
    }
    this.waiting.delete(next);
    next(slab);
  }

  /** Calls `handIn` when others wait for a slab. Returns a function that ends this. */
  onShortage(handIn: () => void): () => void {
    this.holders.add(handIn);
    return () => void this.holders.delete(handIn);
  }
}

/** The requests of the main thread to a hash thread. `upload` names the hash states of one file. */
export type HashRequest =
  | { readonly kind: 'begin'; readonly upload: number }
  | {
      readonly kind: 'update';
      readonly upload: number;
      readonly shared: SharedArrayBuffer;
      readonly length: number;
      readonly endsChunk: boolean;
    }
  | { readonly kind: 'finish'; readonly upload: number }
  | { readonly kind: 'drop'; readonly upload: number };

/** Whole digest and the chunk digests end to end. */
export interface Digests {
  readonly whole: Uint8Array;
  readonly chunks: Uint8Array;
}

/** A thread that keeps one kind of digest, of the whole and of each chunk, for every upload under way. */
export class HashThread {
  private readonly client: WorkerClient<HashRequest, Digests | null>;

  constructor(algorithm: 'sha1' | 'sha256') {
    const file = workerFile(import.meta.url, 'hash.worker');
    this.client = new WorkerClient(file, `The ${algorithm} thread`, algorithm);
  }

  beginUpload(upload: number): void {
    this.client.send({ kind: 'begin', upload });
  }

  /**
   * Takes in the first `length` bytes of the slab; resolves when the slab may be used again.
   * @throws Error when the thread died, or died since the upload began
   */
  async updateUpload(upload: number, slab: Slab, length: number, endsChunk: boolean): Promise<void> {
    await this.client.call({ kind: 'update', upload, shared: slab.shared, length, endsChunk });
  }

  /** Ends the last chunk and gives the digests; frees the upload's state. @throws Error as `updateUpload` does */
  async finishUpload(upload: number): Promise<Digests> {
    const digests = await this.client.call({ kind: 'finish', upload });
    if (!digests) throw new Error('The hash thread gave no digests');
    return digests;
  }

  /** Frees the state of an upload that failed. */
  dropUpload(upload: number): void {
    this.client.sendIfRunning({ kind: 'drop', upload });
  }

  async close(): Promise<void> {
    await this.client.close();
  }
}
