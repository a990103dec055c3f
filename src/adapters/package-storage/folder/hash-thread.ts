import { WorkerClient, workerFile } from '../../shared/worker-client.js';
import type { Slab } from './slab-pool.js';

/** What the main thread asks of a hash thread. `upload` names one file's hash states. */
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
