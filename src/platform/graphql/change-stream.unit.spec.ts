import { describe, expect, it } from 'vitest';
import type { ReadModelChanges } from '../eventsourcing/read-model-changes.js';
import { ChangeStream } from './change-stream.js';

type Listener = (keys: readonly string[] | null) => void;

/** Stands for ReadModelChanges: the test says what changed. */
function fakeChanges() {
  const listeners = new Set<Listener>();
  const subscribe = (_projection: string, listener: Listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    // ChangeStream calls nothing else.
    changes: { subscribe } as unknown as ReadModelChanges,
    tell: (keys: readonly string[] | null) => listeners.forEach((listener) => listener(keys)),
    listening: () => listeners.size,
  };
}

const echo = (keys: readonly string[] | null) => Promise.resolve(keys ?? ['many']);

describe('a stream of changes', () => {
  it('tells each changed row once, however often it changed while the client was slow', async () => {
    const { changes, tell } = fakeChanges();
    const stream = new ChangeStream(changes, 'packages', echo);
    tell(['a']);
    tell(['b', 'a']);
    tell(['a']);
    expect(await stream.next()).toEqual({ done: false, value: 'a' });
    expect(await stream.next()).toEqual({ done: false, value: 'b' });
    const next = stream.next();
    tell(['c']);
    expect(await next).toEqual({ done: false, value: 'c' });
    await stream.return();
  });

  it('leaves out what the client did not ask for', async () => {
    const { changes, tell } = fakeChanges();
    const stream = new ChangeStream(changes, 'packages', echo, { wants: (key) => key === 'b' });
    tell(['a']);
    tell(['b']);
    expect(await stream.next()).toEqual({ done: false, value: 'b' });
    await stream.return();
  });

  it('holds a bounded number of keys for a client that does not read', async () => {
    const { changes, tell } = fakeChanges();
    const stream = new ChangeStream(changes, 'packages', echo);
    for (let i = 0; i < 10_000; i++) tell([`key ${i}`]);
    expect(await stream.next()).toEqual({ done: false, value: 'many' });
    await stream.return();
  });

  it('ends at once while it waits, and lets go of the changes', async () => {
    const { changes, listening } = fakeChanges();
    const stream = new ChangeStream(changes, 'packages', echo);
    const waiting = stream.next();
    await stream.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(listening()).toBe(0);
  });

  it('loads at once when asked to, and again when there is more', async () => {
    const { changes } = fakeChanges();
    const pages = [['a'], ['b'], []];
    const stream: ChangeStream<string> = new ChangeStream(
      changes,
      'audit',
      async () => {
        const page = pages.shift() ?? [];
        if (page.length > 0) stream.loadAgain();
        return page;
      },
      { atOnce: true },
    );
    expect((await stream.next()).value).toBe('a');
    expect((await stream.next()).value).toBe('b');
    await stream.return();
  });

  it('passes on what went wrong while loading', async () => {
    const { changes, tell } = fakeChanges();
    const stream = new ChangeStream(changes, 'packages', () => Promise.reject(new Error('database away')));
    tell(['a']);
    await expect(stream.next()).rejects.toThrow('database away');
    await stream.return();
  });
});
