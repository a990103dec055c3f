import { describe, expect, it } from 'vitest';
import { OrderedWork } from './ordered-work.js';

interface Step {
  readonly name: string;
  readonly end: (error?: Error) => void;
}

/** Work whose pieces end when the test says so. */
function setUp() {
  const started: string[] = [];
  const steps = new Map<string, Step>();
  const reached: string[] = [];
  const failures: unknown[] = [];
  const work = new OrderedWork<string>(
    (name) =>
      new Promise((resolve, reject) => {
        started.push(name);
        steps.set(name, { name, end: (error) => (error ? reject(error) : resolve()) });
      }),
    { notePlace: (id) => reached.push(id), failed: (error) => failures.push(error) },
  );
  const end = async (name: string, error?: Error) => {
    steps.get(name)?.end(error);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { work, started, reached, failures, end };
}

describe('ordered work', () => {
  it('runs items of several keys at once and tells only how far all is done', async () => {
    const { work, started, reached, end } = setUp();
    await work.addItem('1', 'a', 'one');
    await work.addItem('2', 'b', 'two');
    await end('');
    expect(started).toEqual(['one', 'two']);
    await end('two');
    expect(reached).toEqual([]);
    await end('one');
    expect(reached).toEqual(['1', '2']);
  });

  it('runs items of one key one after the other', async () => {
    const { work, started, end } = setUp();
    await work.addItem('1', 'a', 'one');
    await work.addItem('2', 'a', 'two');
    await end('');
    expect(started).toEqual(['one']);
    await end('one');
    expect(started).toEqual(['one', 'two']);
  });

  it('takes no more than eight until the oldest is done', async () => {
    const { work, end } = setUp();
    for (let i = 0; i < 8; i++) await work.addItem(String(i), `k${i}`, `w${i}`);
    let taken = false;
    const ninth = work.addItem('8', 'k8', 'w8').then(() => (taken = true));
    await end('w5');
    expect(taken).toBe(false);
    await end('w0');
    await ninth;
    expect(taken).toBe(true);
  });

  it('reaches nothing after a failure, and tells of it once', async () => {
    const { work, reached, failures, end } = setUp();
    await work.addItem('1', 'a', 'one');
    await work.addItem('2', 'b', 'two');
    await work.addItem('3', 'c', 'three');
    await end('one');
    await end('three');
    const error = new Error('no');
    await end('two', error);
    await work.settled();
    expect(reached).toEqual(['1']);
    expect(failures).toEqual([error]);
  });
});
