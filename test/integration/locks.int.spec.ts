import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PostgresLocks } from '../../src/adapters/locks/postgres/postgres-locks.js';
import { disconnect } from '../support/postgres-faults.js';
import { createEmptyDatabase, type TestDatabase } from '../support/test-database.js';
import { waitFor } from '../support/wait-for.js';

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

let database: TestDatabase;
let processes: PostgresLocks[];

/** Another process of the same server. */
function join(): PostgresLocks {
  const locks = new PostgresLocks(database.settings);
  processes.push(locks);
  return locks;
}

/** Holds a lock until `end` is called; resolves when it has it. */
async function keep(locks: PostgresLocks, name: string): Promise<{ held: AbortSignal; end: () => void }> {
  return new Promise((resolve) => {
    const ended = locks.hold(name, (held) => new Promise<void>((end) => resolve({ held, end })));
    void ended.catch(() => undefined);
  });
}

beforeEach(async () => {
  database = await createEmptyDatabase();
  processes = [];
});
afterEach(async () => {
  await Promise.all(processes.map((locks) => locks.close()));
  await database.drop();
});

describe('locks between the processes of a server', () => {
  it('are held by one at a time, and handed on', async () => {
    const [a, b] = [join(), join()];
    const holder = await keep(a, 'projection packages');
    let taken = false;
    const order: string[] = [];
    const waiting = b.hold('projection packages', async () => void order.push('b'), { onTaken: () => (taken = true) });
    await waitFor('the other one to be told that it is taken', () => taken);
    expect(order).toEqual([]);
    holder.end();
    await waiting;
    expect(order).toEqual(['b']);
  });

  it('of different names do not wait for each other', async () => {
    const [a, b] = [join(), join()];
    await keep(a, 'one');
    expect(await b.hold('another', async () => 'done')).toBe('done');
  });

  it('are taken in turns within a process, in the order of asking', async () => {
    const a = join();
    const order: number[] = [];
    let atWork = 0;
    const work = (n: number) => async (): Promise<void> => {
      expect(++atWork).toBe(1);
      await new Promise(setImmediate);
      order.push(n);
      atWork -= 1;
    };
    await Promise.all([1, 2, 3].map((n) => a.hold('publish p', work(n))));
    expect(order).toEqual([1, 2, 3]);
  });

  it('are free again after work that failed', async () => {
    const [a, b] = [join(), join()];
    await expect(a.hold('x', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await b.hold('x', async () => 'done')).toBe('done');
  });

  it('stop being waited for when the signal aborts', async () => {
    const [a, b] = [join(), join()];
    const holder = await keep(a, 'x');
    const stop = new AbortController();
    const waiting = b.hold('x', async () => 'done', { signal: stop.signal });
    stop.abort();
    expect(await waiting).toBeNull();
    holder.end();
    expect(await a.hold('x', async () => 'free')).toBe('free');
  });

  it('are lost with their session: the holder is told, and another takes over', async () => {
    const [a, b] = [join(), join()];
    const { held } = await keep(a, 'follow peer');
    let tookOver = false;
    const waiting = b.hold('follow peer', async () => (tookOver = true));
    const told = aborted(held);
    await disconnect(database.settings, 'odst locks');
    await told;
    await waiting;
    expect(tookOver).toBe(true);
  });

  it('come back to a process whose session was lost', async () => {
    const a = join();
    await keep(a, 'x');
    await disconnect(database.settings, 'odst locks');
    expect(await a.hold('y', async () => 'done')).toBe('done');
  });

  it('tell whether other processes live', async () => {
    const a = join();
    expect(await a.isAlone()).toBe(true);
    const b = join();
    await keep(b, 'x');
    expect(await a.isAlone()).toBe(false);
    await b.close();
    await waitFor('the other one to be gone', () => a.isAlone());
  });
});
