import { beforeEach, expect, it, vi } from 'vitest';
import { MemoryEventStore } from '../../../test/support/memory-event-store.js';
import type { StreamFold } from '../../kernel/decider.js';
import { type DomainEvent, EventFamily } from '../../kernel/events.js';
import { newEvent } from './command-runner.js';
import { StreamReader } from './stream-reader.js';

type Added = DomainEvent<'Added', { readonly amount: number }>;

const events = new EventFamily<Added>({ Added: { version: 1 } });

const sum: StreamFold<{ readonly sum: number }, Added> = {
  category: 'counter',
  events,
  initial: { sum: 0 },
  evolve: (state, { data }) => ({ sum: state.sum + data.amount }),
};

let store: MemoryEventStore;
const add = (amount: number) =>
  store.append('counter-1', [newEvent(events, { type: 'Added', data: { amount } }, 'server')], 'any');

beforeEach(() => {
  store = new MemoryEventStore();
});

it('folds a stream up to its last event', async () => {
  await add(2);
  const reader = new StreamReader(store);
  expect(await reader.load(sum, '1')).toEqual({ sum: 2 });
  await add(3);
  expect(await reader.load(sum, '1')).toEqual({ sum: 5 });
  expect(await reader.load(sum, '2')).toEqual({ sum: 0 });
});

it('reads each event once, whoever asks', async () => {
  await add(2);
  const reader = new StreamReader(store);
  await reader.load(sum, '1');
  const read = vi.spyOn(store, 'readStream');
  expect(await reader.load(sum, '1')).toEqual({ sum: 2 });
  expect(read).toHaveBeenCalledExactlyOnceWith('counter-1', 1n);
});

it('keeps folds apart', async () => {
  await add(2);
  const product = { ...sum, initial: { sum: 1 } };
  const reader = new StreamReader(store);
  expect(await reader.load(sum, '1')).toEqual({ sum: 2 });
  expect(await reader.load(product, '1')).toEqual({ sum: 3 });
});
