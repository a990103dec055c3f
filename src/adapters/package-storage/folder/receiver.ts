import { finished, type Readable } from 'node:stream';
import { CHUNK_SIZE } from '../../../kernel/chunk-ranges.js';
import type { Digests, HashThread } from './hash-thread.js';
import type { Slab, SlabPool } from './slab-pool.js';
import type { StagedWriter } from './staged-writer.js';

/** The threads that every upload shares. */
export interface HashThreads {
  readonly sha1: HashThread;
  readonly sha256: HashThread;
}

export interface Received {
  readonly size: number;
  readonly sha1: Digests;
  readonly sha256: Digests;
}

let lastUpload = 0;

/**
 * One pass over one source: each byte is copied once into a slab, and the slab is hashed by both threads and written
 * at its place at the same time. A slab never crosses the border of a chunk. The source is left as it is on an error.
 */
export class Receiver {
  private readonly upload = (lastUpload += 1);
  private readonly pieces = new Set<Promise<void>>();
  private slab: Slab | null = null;
  private filled = 0;
  private position = 0;
  private stopWaiting: (() => void) | null = null;
  private afterWait: (() => void) | null = null;
  private failure: { readonly error: unknown } | null = null;
  private onFailure: (error: unknown) => void = () => undefined;

  constructor(
    private readonly source: Readable,
    private readonly pool: SlabPool,
    private readonly threads: HashThreads,
    private readonly writer: StagedWriter,
  ) {}

  /** Resolves when everything is hashed and on the disk; rejects when no write is under way any more. */
  async run(signal?: AbortSignal): Promise<Received> {
    this.threads.sha1.begin(this.upload);
    this.threads.sha256.begin(this.upload);
    const stopHandingIn = this.pool.onShortage(() => this.submit());
    try {
      await this.readAll(signal);
      await this.lastSlab();
      this.submit();
      return await this.finish();
    } catch (error) {
      await this.abandon();
      throw error;
    } finally {
      stopHandingIn();
    }
  }

  private readAll(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onData = (bytes: Buffer): void => this.take(bytes);
      const onAbort = (): void => settle(signal?.reason ?? new Error('aborted'));
      const settle = (error?: unknown): void => {
        this.source.off('data', onData);
        signal?.removeEventListener('abort', onAbort);
        stopWatching();
        if (!error) return resolve();
        this.source.pause();
        reject(error);
      };
      this.onFailure = settle;
      const stopWatching = finished(this.source, { writable: false }, (error) => settle(error));
      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      this.source.on('data', onData);
    });
  }

  /** Copies into slabs; pauses the source while there is none. */
  private take(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      this.slab ??= this.pool.take();
      if (!this.slab) return this.waitForSlab(rest);
      const room = CHUNK_SIZE - ((this.position + this.filled) % CHUNK_SIZE);
      const count = Math.min(room, rest.length);
      this.slab.bytes.set(count === rest.length ? rest : rest.subarray(0, count), this.filled);
      this.filled += count;
      rest = rest.subarray(count);
      if (count === room) this.submit(true);
    }
  }

  private waitForSlab(rest: Buffer): void {
    this.source.pause();
    this.stopWaiting = this.pool.wait((slab) => {
      this.stopWaiting = null;
      this.slab = slab;
      this.take(rest);
      if (this.stopWaiting) return;
      this.afterWait?.();
      this.source.resume();
    });
  }

  /** A source may end while its last bytes wait for a slab. */
  private lastSlab(): Promise<void> | void {
    if (!this.stopWaiting) return;
    return new Promise((resolve) => {
      this.afterWait = resolve;
    });
  }

  /** Sends what is in the slab on its way; it goes back to the pool when all three are done with it. */
  private submit(endsChunk = false): void {
    const { slab, filled, position } = this;
    if (!slab || filled === 0) return;
    this.slab = null;
    this.filled = 0;
    this.position += filled;
    const work = [
      this.threads.sha1.update(this.upload, slab, filled, endsChunk),
      this.threads.sha256.update(this.upload, slab, filled, endsChunk),
      this.writer.write(slab.bytes.subarray(0, filled), position),
    ];
    const piece = this.settle(slab, work).finally(() => this.pieces.delete(piece));
    this.pieces.add(piece);
  }

  private async settle(slab: Slab, work: readonly Promise<void>[]): Promise<void> {
    const outcomes = await Promise.allSettled(work);
    this.pool.give(slab);
    const bad = outcomes.find((outcome) => outcome.status === 'rejected');
    if (bad) this.fail(bad.reason);
  }

  private fail(error: unknown): void {
    this.failure ??= { error };
    this.onFailure(error);
  }

  private async finish(): Promise<Received> {
    await Promise.all(this.pieces);
    if (this.failure) throw this.failure.error;
    const [sha1, sha256] = await Promise.all([
      this.threads.sha1.finish(this.upload),
      this.threads.sha256.finish(this.upload),
      this.writer.finish(),
    ]);
    return { size: this.position, sha1, sha256 };
  }

  private async abandon(): Promise<void> {
    this.stopWaiting?.();
    if (this.slab) this.pool.give(this.slab);
    this.slab = null;
    await Promise.all(this.pieces);
    this.threads.sha1.drop(this.upload);
    this.threads.sha256.drop(this.upload);
  }
}
