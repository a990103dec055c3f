import { describe, expect, it } from 'vitest';
import { Batcher, type BatcherOptions } from './batcher.js';

/** A batcher whose batches are recorded, and end when they are told to. */
class Scene {
  readonly batches: (readonly string[])[] = [];
  private readonly ends: ((error?: Error) => void)[] = [];
  readonly batcher: Batcher<string, string>;

  constructor(options: Partial<BatcherOptions<string, string>> = {}) {
    this.batcher = new Batcher<string, string>({
      run: (items) => {
        this.batches.push(items);
        return new Promise((resolve, reject) => {
          this.ends.push((error) => (error ? reject(error) : resolve(items.map((item) => item.toUpperCase()))));
        });
      },
      schedule: setImmediate,
      maxItems: 3,
      ...options,
    });
  }

  /** Ends the oldest batch under way, and lets the next one begin. */
  async endBatch(error?: Error): Promise<void> {
    this.ends.shift()?.(error);
    await turn();
  }
}
const turn = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 5));

describe('a batcher', () => {
  it('does together what is added before the batch is closed', async () => {
    const scene = new Scene();
    const results = Promise.all(['a', 'b'].map((item) => scene.batcher.add(item)));
    await turn();
    expect(scene.batches).toEqual([['a', 'b']]);
    await scene.endBatch();
    expect(await results).toEqual(['A', 'B']);
  });

  it('gathers what is added while a batch is under way, up to the limit', async () => {
    const scene = new Scene();
    const results = [scene.batcher.add('a')];
    await turn();
    results.push(...['b', 'c', 'd', 'e'].map((item) => scene.batcher.add(item)));
    await turn();
    expect(scene.batches).toEqual([['a']]);
    await scene.endBatch();
    expect(scene.batches).toEqual([['a'], ['b', 'c', 'd']]);
    await scene.endBatch();
    await scene.endBatch();
    expect(scene.batches).toEqual([['a'], ['b', 'c', 'd'], ['e']]);
    expect(await Promise.all(results)).toEqual(['A', 'B', 'C', 'D', 'E']);
  });

  it('limits the size of a batch, but takes an item that is larger alone', async () => {
    const scene = new Scene({ sizeOf: (item) => item.length, maxSize: 4 });
    void Promise.all(['aaaaaaa', 'bb', 'cc', 'd'].map((item) => scene.batcher.add(item)));
    await turn();
    await scene.endBatch();
    await scene.endBatch();
    expect(scene.batches).toEqual([['aaaaaaa'], ['bb', 'cc'], ['d']]);
  });

  it('has as many batches under way as it may', async () => {
    const scene = new Scene({ concurrency: 2, maxItems: 1, schedule: process.nextTick });
    void Promise.all(['a', 'b', 'c'].map((item) => scene.batcher.add(item)));
    await turn();
    expect(scene.batches).toEqual([['a'], ['b']]);
    await scene.endBatch();
    expect(scene.batches).toEqual([['a'], ['b'], ['c']]);
  });

  it('fails all items of a batch with it when it is told nothing else', async () => {
    const scene = new Scene();
    const results = Promise.allSettled([scene.batcher.add('a'), scene.batcher.add('b')]);
    await turn();
    await scene.endBatch(new Error('lost'));
    expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(scene.batches).toHaveLength(1);
  });

  it.each(['each in turn', 'each at once'] as const)('tries the items of a failed batch alone: %s', async (how) => {
    const batches: (readonly string[])[] = [];
    let underWay = 0;
    let most = 0;
    const batcher = new Batcher<string, string>({
      run: async (items) => {
        batches.push(items);
        most = Math.max(most, (underWay += 1));
        await turn();
        underWay -= 1;
        if (items.includes('bad')) throw new Error('refused');
        return items;
      },
      schedule: setImmediate,
      maxItems: 10,
      afterFailure: () => how,
    });
    const results = await Promise.allSettled(['a', 'bad', 'c'].map((item) => batcher.add(item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(batches).toEqual([['a', 'bad', 'c'], ['a'], ['bad'], ['c']]);
    expect(most).toBe(how === 'each in turn' ? 1 : 3);
  });

  it('fails the items of a batch that gave another number of results', async () => {
    const batcher = new Batcher<string, string>({ run: async () => [], schedule: setImmediate, maxItems: 2 });
    await expect(batcher.add('a')).rejects.toThrow('0 results for 1 items');
  });

  it('is idle when everything has its result', async () => {
    const scene = new Scene({ maxItems: 1 });
    await scene.batcher.idle();
    void Promise.all([scene.batcher.add('a'), scene.batcher.add('b')]);
    let isIdle = false;
    const idle = scene.batcher.idle().then(() => (isIdle = true));
    await turn();
    await scene.endBatch();
    expect(isIdle).toBe(false);
    await scene.endBatch();
    await idle;
    expect(scene.batches).toHaveLength(2);
  });
});
