import { Worker } from 'node:worker_threads';
import { workerFile } from '../../shared/worker-file.js';
import type { Slab } from './slab-pool.js';

/** What the main thread asks of a hash thread. `upload` names one file's hash states. */
export type HashRequest =
  | { readonly kind: 'begin'; readonly upload: number }
  | {
      readonly kind: 'update';
      readonly upload: number;
      readonly ticket: number;
      readonly shared: SharedArrayBuffer;
      readonly length: number;
      readonly endsChunk: boolean;
    }
  | { readonly kind: 'finish'; readonly upload: number; readonly ticket: number }
  | { readonly kind: 'drop'; readonly upload: number };

/** Whole digest and the chunk digests end to end. */
export interface Digests {
  readonly whole: Uint8Array;
  readonly chunks: Uint8Array;
}

/** The request of this ticket is done, and its slab may be used again. `lost`: the thread knows nothing of the upload. */
export interface HashReply {
  readonly ticket: number;
  readonly lost: boolean;
  readonly digests?: Digests;
}

interface Waiting {
  resolve(digests: Digests | undefined): void;
  reject(error: unknown): void;
}

/** A thread that keeps one kind of digest, of the whole and of each chunk, for every upload under way. */
export class HashThread {
  private worker: Worker | null = null;
  private readonly waiting = new Map<number, Waiting>();
  private lastTicket = 0;

  constructor(private readonly algorithm: 'sha1' | 'sha256') {}

  beginUpload(upload: number): void {
    this.running().postMessage({ kind: 'begin', upload } satisfies HashRequest);
  }

  /** Takes in the first `length` bytes of the slab; resolves when the slab may be used again. */
  async updateUpload(upload: number, slab: Slab, length: number, endsChunk: boolean): Promise<void> {
    await this.ask((ticket) => ({ kind: 'update', upload, ticket, shared: slab.shared, length, endsChunk }));
  }

  /** Ends the last chunk and gives the digests; frees the upload's state. */
  async finishUpload(upload: number): Promise<Digests> {
    const digests = await this.ask((ticket) => ({ kind: 'finish', upload, ticket }));
    if (!digests) throw new Error('The hash thread gave no digests');
    return digests;
  }

  /** Frees the state of an upload that failed. */
  dropUpload(upload: number): void {
    this.worker?.postMessage({ kind: 'drop', upload } satisfies HashRequest);
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
  }

  private ask(request: (ticket: number) => HashRequest): Promise<Digests | undefined> {
    const ticket = (this.lastTicket += 1);
    return new Promise((resolve, reject) => {
      this.waiting.set(ticket, { resolve, reject });
      this.running().postMessage(request(ticket));
    });
  }

  private running(): Worker {
    this.worker ??= this.start();
    return this.worker;
  }

  private start(): Worker {
    const worker = new Worker(workerFile(import.meta.url, 'hash.worker'), { workerData: this.algorithm });
    worker.unref();
    worker.on('message', (reply: HashReply) => this.settle(reply));
    worker.on('error', (error) => this.fail(worker, error));
    worker.on('exit', () => this.fail(worker, new Error(`The ${this.algorithm} thread ended`)));
    return worker;
  }

  private settle({ ticket, lost, digests }: HashReply): void {
    const waiting = this.waiting.get(ticket);
    this.waiting.delete(ticket);
    if (lost) waiting?.reject(new Error(`The ${this.algorithm} thread was started anew during the upload`));
    else waiting?.resolve(digests);
  }

  /** The uploads under way fail; the next one starts a new thread. */
  private fail(worker: Worker, error: unknown): void {
    if (this.worker !== worker) return;
    this.worker = null;
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
