import { CHUNK_SIZE } from '../../../kernel/chunk-ranges.js';

/** 1 MiB that the main thread fills and the hash threads read. */
export interface Slab {
  readonly shared: SharedArrayBuffer;
  readonly bytes: Buffer;
}

const makeSlab = (): Slab => {
  const shared = new SharedArrayBuffer(CHUNK_SIZE);
  return { shared, bytes: Buffer.from(shared) };
};

/**
 * The memory of all uploads together: at most `limit` slabs. Who finds none waits in line; holders of half-filled
 * slabs are then asked to hand them in, so that slow senders don't keep fast ones waiting.
 */
export class SlabPool {
  private readonly idle: Slab[] = [];
  private readonly waiting = new Set<(slab: Slab) => void>();
  private readonly holders = new Set<() => void>();
  private made = 0;

  constructor(private readonly limit: number) {}

  /** Slabs that are out. */
  get inUse(): number {
    return this.made - this.idle.length;
  }

  /** A slab now, or null: then `waitForSlab`. */
  takeSlab(): Slab | null {
    if (this.waiting.size > 0) return null;
    const slab = this.idle.pop();
    if (slab || this.made === this.limit) return slab ?? null;
    this.made += 1;
    return makeSlab();
  }

  /** Calls back with the next slab that becomes free, in order of asking; returns the way to give up. */
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

  /** `handIn` is called when others wait for a slab; returns the way to stop that. */
  onShortage(handIn: () => void): () => void {
    this.holders.add(handIn);
    return () => void this.holders.delete(handIn);
  }
}
