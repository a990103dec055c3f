/**
 * The treatment of the items of a failed batch: all fail, or each is tried alone, so that a bad one does not fail the
 * others.
 */
type AfterFailure = 'fail all' | 'each in turn' | 'each at once';

export interface BatcherOptions<Item, Result> {
  /** Does a batch. Its results stand in the order of the items. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Calls back when a batch must be closed, for example `setImmediate`. Items that are added until then are part of it. */
  readonly schedule: (close: () => void) => void;
  /** The most items of one batch. */
  readonly maxItems: number;
  /** The largest sum of sizes of one batch; a single item may be larger. No limit when this is left out. */
  readonly maxSize?: number;
  readonly sizeOf?: (item: Item) => number;
  /** The maximum number of batches under way at the same time, 1 when left out. Items that are added meanwhile wait for the next one. */
  readonly concurrency?: number;
  /** `fail all` when left out. */
  readonly afterFailure?: (error: unknown) => AfterFailure;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Combines items that arrive at the same time into batches. While batches are under way, further items wait for the next one.
 * So the batches grow with the load, and nothing waits when there is none.
 */
export class Batcher<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private running = 0;
  private isScheduled = false;
  private readonly idleCallbacks: (() => void)[] = [];

  constructor(private readonly options: BatcherOptions<Item, Result>) {}

  /** Resolves with the result of the item, once the batch that it went into is done. @throws what `run` throws */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      this.scheduleBatch();
    });
  }

  /** Resolves when everything that was added has its result. */
  async idle(): Promise<void> {
    if (this.isIdle) return;
    await new Promise<void>((resolve) => this.idleCallbacks.push(resolve));
  }

  private get isIdle(): boolean {
    return this.running === 0 && this.waiting.length === 0;
  }

  private scheduleBatch(): void {
    const { schedule, concurrency = 1 } = this.options;
    if (this.isScheduled || this.running >= concurrency || this.waiting.length === 0) return;
    this.isScheduled = true;
    schedule(() => {
      this.isScheduled = false;
      void this.runBatch(this.takeBatch());
    });
  }

  private async runBatch(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    this.running += 1;
    this.scheduleBatch();
    await this.settleBatch(batch);
    this.running -= 1;
    this.scheduleBatch();
    if (this.isIdle) for (const resolve of this.idleCallbacks.splice(0)) resolve();
  }

  private takeBatch(): readonly Waiting<Item, Result>[] {
    const { maxItems, maxSize = Infinity, sizeOf = () => 0 } = this.options;
    let count = 0;
    let size = 0;
    for (const { item } of this.waiting) {
      size += sizeOf(item);
      if (count > 0 && (count >= maxItems || size > maxSize)) break;
      count++;
    }
    return this.waiting.splice(0, count);
  }

  private async settleBatch(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.options.run(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw new Error(`${results.length} results for ${batch.length} items`);
      results.forEach((result, i) => batch[i]?.resolve(result));
    } catch (error) {
      await this.settleFailed(batch, error);
    }
  }

  private async settleFailed(batch: readonly Waiting<Item, Result>[], error: unknown): Promise<void> {
    const next = batch.length === 1 ? 'fail all' : (this.options.afterFailure?.(error) ?? 'fail all');
    if (next === 'fail all') for (const { reject } of batch) reject(error);
    else if (next === 'each in turn') for (const one of batch) await this.settleBatch([one]);
    else await Promise.all(batch.map((one) => this.settleBatch([one])));
  }
}
