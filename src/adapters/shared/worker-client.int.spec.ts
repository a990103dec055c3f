import { afterEach, describe, expect, it } from 'vitest';
import { WorkerClient } from './worker-client.js';

interface Request {
  readonly kind: 'add' | 'fail' | 'die' | 'count' | 'wait' | 'sum';
  readonly value?: number;
}

const FILE = new URL('../../../test/support/calculator.worker.mjs', import.meta.url);

describe('calls to a worker thread', () => {
  const clients: WorkerClient<Request, number | string, number>[] = [];
  const newClient = (data?: number): WorkerClient<Request, number | string, number> => {
    const client = new WorkerClient<Request, number | string, number>(FILE, 'The calculator', data);
    clients.push(client);
    return client;
  };
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });

  it('gives each call its own answer, in the order in which the thread finishes them', async () => {
    const client = newClient(10);
    const finished: unknown[] = [];
    const note = (answer: unknown): unknown => finished.push(answer);
    const slow = client.call({ kind: 'wait', value: 100 }).then(() => note('slow'));
    const quick = client.call({ kind: 'add', value: 5 }).then(note);
    expect(client.pendingCalls).toBe(2);
    await Promise.all([slow, quick]);
    expect(finished).toEqual([15, 'slow']);
    expect(client.pendingCalls).toBe(0);
  });

  it('sends requests without an answer in the same order', async () => {
    const client = newClient();
    client.send({ kind: 'add', value: 1 });
    client.sendIfRunning({ kind: 'add', value: 2 });
    expect(await client.call({ kind: 'sum' })).toBe(3);
  });

  it('does not start a thread for a request that only a running one understands', async () => {
    const client = newClient();
    client.sendIfRunning({ kind: 'add', value: 2 });
    expect(await client.call({ kind: 'sum' })).toBe(0);
  });

  it('passes on what a call throws, with its code', async () => {
    await expect(newClient().call({ kind: 'fail' })).rejects.toMatchObject({
      message: 'cannot do this',
      code: 'EFAIL',
    });
  });

  it('passes on progress before the answer', async () => {
    const progress: number[] = [];
    await newClient().call({ kind: 'count', value: 3 }, { onProgress: (done) => progress.push(done) });
    expect(progress).toEqual([1, 2, 3]);
  });

  it('ends a call early when its signal aborts, and no other call', async () => {
    const client = newClient();
    const aborting = new AbortController();
    const other = client.call({ kind: 'wait', value: 200 });
    const call = client.call({ kind: 'wait', value: 60_000 }, { signal: aborting.signal });
    aborting.abort();
    expect(await call).toBe('aborted');
    expect(await other).toBe(0);
  });

  it('fails the calls under way when the thread dies, and starts a new one that knows nothing', async () => {
    const client = newClient();
    await client.call({ kind: 'add', value: 5 });
    const waiting = client.call({ kind: 'wait', value: 60_000 });
    const dying = client.call({ kind: 'die' });
    await expect(waiting).rejects.toThrow('The calculator ended with code 7');
    await expect(dying).rejects.toThrow('The calculator ended with code 7');
    expect(await client.call({ kind: 'add', value: 1 })).toBe(1);
  });

  it('fails the calls under way when it is closed', async () => {
    const client = newClient();
    const waiting = client.call({ kind: 'wait', value: 60_000 });
    await client.close();
    await expect(waiting).rejects.toThrow('The calculator ended');
  });
});
