import { CHUNK_SIZE } from '../../../kernel/chunk-ranges.js';

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

  /** Number of slabs that are in use. */
  get inUse(): number {
    return this.made - this.idle.length;
  }

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
