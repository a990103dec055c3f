import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryEventStore } from '../../../test/support/memory-event-store.js';
import type { Aggregate } from '../../kernel/decider.js';
import { type DomainEvent, EventFamily } from '../../kernel/events.js';
import { Refusal } from '../../kernel/errors.js';
import { ServerIdentity } from '../../ports/server-identity.port.js';
import { withContext } from '../runtime/call-context.js';
import { CommandRunner } from './command-runner.js';

type Added = DomainEvent<'Added', { readonly amount: number }>;

/** A counter that may not pass ten. */
const counter: Aggregate<number, number, Added> = {
  category: 'counter',
  events: new EventFamily<Added>({ Added: { version: 1 } }),
  initial: 0,
  decide: (amount, sum) => {
    if (sum + amount > 10) throw new Refusal('INVALID_REQUEST', 'Ten is the most.');
    return amount === 0 ? [] : [{ type: 'Added', data: { amount } }];
  },
  evolve: (sum, { data }) => sum + data.amount,
};

class TestIdentity extends ServerIdentity {
  readonly serverId = 'server';
  readonly name = 'Server';
  readonly url = 'http://server';
  readonly stage = 'Prod';
  readonly reachable = true;
  readonly publicKey = '';
  sign = (): Uint8Array => new Uint8Array();
}

let store: MemoryEventStore;
const runner = () => new CommandRunner(store, new TestIdentity());
beforeEach(() => {
  store = new MemoryEventStore();
});

describe('CommandRunner', () => {
  it('appends what the decider decides and says where', async () => {
    const outcome = await runner().run(counter, '1', 4);
    expect(outcome.state).toBe(4);
    expect(outcome.receipt).toEqual({ cursor: '1', types: ['Added'] });
    expect(store.all[0]).toMatchObject({ stream: 'counter-1', revision: 0n, data: { amount: 4 } });
  });

  it('appends nothing when there is nothing to do', async () => {
    expect((await runner().run(counter, '1', 0)).receipt).toEqual({ cursor: null, types: [] });
    expect(store.all).toEqual([]);
  });

  it('records who did it, from where, and what belongs together', async () => {
    const actor = { kind: 'account', id: 'a1', name: 'admin' } as const;
    const context = { actor, address: '192.0.2.7', correlationId: 'call-1', causationId: 'event-0' };
    await withContext(context, () => runner().run(counter, '1', 1));
    expect(store.all[0]?.metadata).toEqual({ ...context, schemaVersion: 1, serverId: 'server' });
  });

  it('decides again on a fresh state when another writer was faster', async () => {
    const [first, second] = [runner(), runner()];
    await first.run(counter, '1', 3);
    await second.run(counter, '1', 3);
    expect((await first.run(counter, '1', 2)).state).toBe(8);
  });

  it('believes a "no" only of a state that it has just read', async () => {
    const [first, second] = [runner(), runner()];
    await first.run(counter, '1', 9);
    await second.run(counter, '1', -8);
    expect((await first.run(counter, '1', 5)).state).toBe(6);
    await expect(first.run(counter, '1', 5)).rejects.toThrow('Ten is the most');
  });

  it('lets every one of many writers through once', async () => {
    await Promise.all(Array.from({ length: 10 }, () => runner().run(counter, '1', 1)));
    expect(await runner().load(counter, '1')).toBe(10);
  });
});
