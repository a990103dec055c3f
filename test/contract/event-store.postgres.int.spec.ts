import { afterEach, describe, expect, it } from 'vitest';
import { PostgresEventStore } from '../../src/adapters/event-store/postgres/postgres-event-store.js';
import type { DatabaseSettings } from '../../src/ports/database.port.js';
import { copyLog, disconnect } from '../support/postgres-faults.js';
import { createTestDatabase, type TestDatabase } from '../support/test-database.js';
import { checkComplete, eventStoreContract, writeFromAllSides, type EventStoreEngine } from './event-store.contract.js';
import { eventStoreLimitsContract } from './event-store-limits.contract.js';
import { oneEvent, someEvents } from './events.js';
import { Follower, readAll } from './follow.js';

async function start(): Promise<EventStoreEngine> {
  const database = await createTestDatabase();
  const stores: PostgresEventStore[] = [];
  return {
    open: () => {
      const store = new PostgresEventStore(database.settings);
      stores.push(store);
      return store;
    },
    close: async () => {
      await Promise.all(stores.map((store) => store.close()));
      await database.drop();
    },
    interrupt: () => disconnect(database.settings),
  };
}

eventStoreContract('postgres', start);
eventStoreLimitsContract('postgres', start);

describe('postgres event store in trouble', () => {
  const databases: TestDatabase[] = [];
  const stores: PostgresEventStore[] = [];
  const openStore = (settings: DatabaseSettings): PostgresEventStore => {
    const store = new PostgresEventStore(settings);
    stores.push(store);
    return store;
  };
  const newDatabase = async (): Promise<TestDatabase> => {
    const database = await createTestDatabase();
    databases.push(database);
    return database;
  };
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
    await Promise.all(databases.splice(0).map((database) => database.drop()));
  });

  it('stays live when its listening connection is killed, before a new one listens too', async () => {
    const { settings } = await newDatabase();
    const store = openStore(settings);
    const follower = new Follower(store);
    const delays: number[] = [];
    for (let i = 0; i < 30; i++) {
      if (i % 10 === 5) await disconnect(settings, 'odst log listener');
      await store.append('live', oneEvent(), 'any');
      const committed = performance.now();
      await follower.until(() => follower.events.length > i);
      delays.push(performance.now() - committed);
    }
    await follower.stop();
    expect(Math.max(...delays)).toBeLessThan(500);
    expect(delays.sort((a, b) => a - b)[15]).toBeLessThan(50);
  });

  it('misses and repeats nothing while every kind of connection is killed under 16 writers', async () => {
    const { settings } = await newDatabase();
    const store = openStore(settings);
    const follower = new Follower(openStore(settings));
    const writing = { done: false };
    const killing = (async () => {
      for (let seen = 0; !writing.done; seen = follower.events.length) {
        await disconnect(settings);
        await follower.until(() => writing.done || follower.events.length > seen + 500);
      }
    })();
    const written = await writeFromAllSides([store, openStore(settings)], 300);
    writing.done = true;
    await store.append('the end', oneEvent(), 'any');
    await killing;
    await follower.until(() => follower.events.length > written.size);
    await follower.stop();
    checkComplete(
      follower.events.filter(({ stream }) => stream !== 'the end'),
      written,
    );
  });

  it('goes on after a dump and restore: same cursors, no gap, an epoch of its own', async () => {
    const [from, to] = [await newDatabase(), await newDatabase()];
    const before = openStore(from.settings);
    const written = await writeFromAllSides([before], 20);
    const cursor = (await readAll(before))[100]?.cursor ?? null;
    const epoch = await before.epoch();
    await copyLog(from.settings, to.settings);

    const after = openStore(to.settings);
    checkComplete(await readAll(after), written);
    const [last] = await writeAndFollow(after, cursor, written.size - 101);
    expect(BigInt(last?.cursor ?? 0)).toBe(BigInt(written.size) + 3n);
    expect(await after.epoch()).not.toBe(epoch);
    expect(await after.epoch()).toBe(await after.epoch());
    expect(await before.epoch()).toBe(epoch);
  });

  async function writeAndFollow(store: PostgresEventStore, cursor: string | null, rest: number) {
    const follower = new Follower(store, { after: cursor });
    await store.append('restored', someEvents(3), 'none');
    await follower.until(() => follower.events.length >= rest + 3);
    await follower.stop();
    expect(follower.events).toHaveLength(rest + 3);
    return follower.events.slice(-1);
  }
});
