import { finished, type Readable } from 'node:stream';
import { CHUNK_SIZE } from '../../../kernel/chunk-ranges.js';
import type { Digests, HashThread, Slab, SlabPool } from './upload-hashing.js';

/** The hash threads, which all uploads share. */
export interface HashThreads {
  readonly sha1: HashThread;
  readonly sha256: HashThread;
}

/** The place where a receiver writes. */
export interface SlabWriter {
  /** Writes bytes at a position of the file. @throws StorageFull */
  writeBytes(bytes: Buffer, position: number): Promise<void>;
  /** Resolves when everything that was written is on the disk. @throws StorageFull */
  finishWriting(): Promise<void>;
}

/** The received file, with its digests. */
interface Received {
  readonly size: number;
  readonly sha1: Digests;
  readonly sha256: Digests;
}

let lastUpload = 0;

/**
 * One pass over the parts of one upload: each byte is copied once into a slab, and the slab is hashed by both threads and
 * written at its place at the same time. A slab never crosses the border of a chunk. A source that is not read to its end
 * is left paused.
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
    private readonly pool: SlabPool,
    private readonly threads: HashThreads,
    private readonly writer: SlabWriter,
  ) {
    threads.sha1.beginUpload(this.upload);
    threads.sha256.beginUpload(this.upload);
  }

  /** Bytes that were received so far. Once `receive` has ended, all of them are written. */
  get size(): number {
    return this.position;
  }

  /**
   * Adds the bytes of a source. Bytes before an error of the source count as received. After an error of the disk or of a
   * thread, the upload cannot continue. Ends when no write is under way any more.
   * @throws the error of the source, the reason of the signal, StorageFull
   */
  async receive(source: Readable, signal?: AbortSignal): Promise<void> {
    this.requireNoFailure();
    const stopHandingIn = this.pool.onShortage(() => this.submitSlab());
    try {
      await this.readAll(source, signal);
      await this.waitForLastSlab();
    } finally {
      this.stopWaiting?.();
      this.stopWaiting = null;
      this.afterWait = null;
      this.submitSlab();
      stopHandingIn();
      await Promise.all(this.pieces);
    }
    this.requireNoFailure();
  }

  /** The digests of everything that was received, which is on the disk then. */
  async finish(): Promise<Received> {
    this.requireNoFailure();
    const [sha1, sha256] = await Promise.all([
      this.threads.sha1.finishUpload(this.upload),
      this.threads.sha256.finishUpload(this.upload),
      this.writer.finishWriting(),
    ]);
    return { size: this.position, sha1, sha256 };
  }

  /** Frees what the threads keep of the upload. */
  abandon(): void {
    this.threads.sha1.dropUpload(this.upload);
    this.threads.sha256.dropUpload(this.upload);
  }

  private readAll(source: Readable, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onData = (bytes: Buffer): void => this.copyToSlabs(source, bytes);
      const onAbort = (): void => settle(signal?.reason ?? new Error('aborted'));
      const settle = (error?: unknown): void => {
        source.off('data', onData);
        signal?.removeEventListener('abort', onAbort);
        stopWatching();
        if (!error) return resolve();
        source.pause();
        reject(error);
      };
      this.onFailure = settle;
      const stopWatching = finished(source, { writable: false }, (error) => settle(error));
      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      source.on('data', onData);
    });
  }

  /** Copies bytes into slabs. The source is paused while there is no free slab. */
  private copyToSlabs(source: Readable, bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      this.slab ??= this.pool.takeSlab();
      if (!this.slab) return this.waitForSlab(source, rest);
      const room = CHUNK_SIZE - ((this.position + this.filled) % CHUNK_SIZE);
      const count = Math.min(room, rest.length);
      this.slab.bytes.set(count === rest.length ? rest : rest.subarray(0, count), this.filled);
      this.filled += count;
      rest = rest.subarray(count);
      if (count === room) this.submitSlab(true);
    }
  }

  private waitForSlab(source: Readable, rest: Buffer): void {
    source.pause();
    this.stopWaiting = this.pool.waitForSlab((slab) => {
      this.stopWaiting = null;
      this.slab = slab;
      this.copyToSlabs(source, rest);
      if (this.stopWaiting) return;
      this.afterWait?.();
      source.resume();
    });
  }

  /** Waits for the last bytes of a source that has ended while they were waiting for a slab. */
  private waitForLastSlab(): Promise<void> | void {
    if (!this.stopWaiting) return;
    return new Promise((resolve) => {
      this.afterWait = resolve;
    });
  }

  /** Hands the slab to both threads and the writer. It goes back to the pool when all three are done with it. */
  private submitSlab(endsChunk = false): void {
    const { slab, filled, position } = this;
    if (!slab || filled === 0) return;
    this.slab = null;
    this.filled = 0;
    this.position += filled;
    const work = [
      this.threads.sha1.updateUpload(this.upload, slab, filled, endsChunk),
      this.threads.sha256.updateUpload(this.upload, slab, filled, endsChunk),
      this.writer.writeBytes(slab.bytes.subarray(0, filled), position),
    ];
    const piece = this.settlePiece(slab, work).finally(() => this.pieces.delete(piece));
    this.pieces.add(piece);
  }

  private async settlePiece(slab: Slab, work: readonly Promise<void>[]): Promise<void> {
    const outcomes = await Promise.allSettled(work);
    this.pool.giveBack(slab);
    const bad = outcomes.find((outcome) => outcome.status === 'rejected');
    if (bad) this.failUpload(bad.reason);
  }

  private requireNoFailure(): void {
    if (this.failure) throw this.failure.error;
  }

  private failUpload(error: unknown): void {
    this.failure ??= { error };
    this.onFailure(error);
  }
}
