import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventStoreUnavailable } from '../../../src/ports/event-store.port.js';
import { oneEvent, someEvents } from '../../contract/events.js';
import { readAll } from '../../contract/follow.js';
import { EventStoreDbScene, oldEvents } from '../../support/eventstoredb-scene.js';
import { eventsOf } from '../../support/trusted-server.js';

describe('appends to EventStoreDB in trouble', () => {
  let scene: EventStoreDbScene;
  beforeEach(() => {
    scene = new EventStoreDbScene();
  });
  afterEach(async () => {
    await scene.end();
    expect(scene.uncaught).toEqual([]);
  });

  it.each(['none', 'any', 0n] as const)('happen once when the answer is lost (expected: %s)', async (expected) => {
    const server = await scene.server();
    const store = await scene.store(server.url);
    if (expected === 0n) await store.append('lost', oneEvent(), 'none');
    server.loseNextReply();
    const events = someEvents(3);
    const appended = await store.append('lost', events, expected);
    const all = await eventsOf(store, 'lost');
    expect(all.slice(-3).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(all).toHaveLength(expected === 0n ? 4 : 3);
    expect(appended).toEqual({ revision: all.at(-1)?.revision, cursor: all.at(-1)?.cursor });
  });

  it('are recognized by another client, also when the server has forgotten the ids', async () => {
    const server = await scene.server();
    const [one, other] = [await scene.store(server.url), await scene.store(server.url)];
    const events = oldEvents(2);
    const first = await one.append('repeated', events, 'any');
    await one.append('repeated', someEvents(300), 'any');
    await server.stop();
    await server.start();
    expect(await other.append('repeated', events, 'any')).toEqual(first);
    expect(await other.append('repeated', events, 'none')).toEqual(first);
    expect(await other.append('repeated', events, 9n)).toEqual(first);
    expect(await eventsOf(one, 'repeated')).toHaveLength(302);
  });

  it('are refused when some of their events are there already, in either order', async () => {
    const server = await scene.server();
    const [one, other] = [await scene.store(server.url), await scene.store(server.url)];
    const [taken, fresh] = oldEvents(2);
    if (!taken || !fresh) throw new Error('unreachable');
    await one.append('mixed', [taken], 'none');
    for (const store of [one, other]) {
      await expect(store.append('mixed', [taken, fresh], 'any')).rejects.toThrow('recorded elsewhere');
      await expect(store.append('mixed', [fresh, taken], 'any')).rejects.toThrow('recorded elsewhere');
      await expect(store.append('mixed', [taken, fresh], 'none')).rejects.toThrow('recorded elsewhere');
    }
    await expect(one.append('mixed', [fresh, taken], 0n)).rejects.toThrow('recorded elsewhere');
    expect(await eventsOf(one, 'mixed')).toHaveLength(1);
  });

  it('under way are not harmed when the connection of another client in the process breaks', async () => {
    const [broken, healthy] = [await scene.server(), await scene.server()];
    const [unlucky, lucky] = [await scene.store(broken.url), await scene.store(healthy.url)];
    healthy.delayAppends(1000);
    broken.loseNextReply();
    const under = lucky.append('b', oneEvent(), 'none');
    await unlucky.append('a', oneEvent(), 'none');
    expect(healthy.log.stream('b')).toHaveLength(0);
    expect((await under).revision).toBe(0n);
    expect([...broken.log.stream('a'), ...healthy.log.stream('b')]).toHaveLength(2);
  });

  it('are answered within the patience when the server never answers, and a later answer harms nobody', async () => {
    const server = await scene.server();
    const store = await scene.store(server.url);
    server.delayAppends(6000);
    const events = oneEvent();
    await expect(store.append('late', events, 'none')).rejects.toBeInstanceOf(EventStoreUnavailable);
    server.delayAppends(0);
    const again = await store.append('late', events, 'none');
    expect(again.revision).toBe(0n);
    expect(await eventsOf(store, 'late')).toHaveLength(1);
  });

  it('say that the log is away when it stays away, and go through later', async () => {
    const server = await scene.server();
    const store = await scene.store(server.url);
    await server.stop();
    const events = oneEvent();
    await expect(store.append('away', events, 'none')).rejects.toBeInstanceOf(EventStoreUnavailable);
    await server.start();
    expect((await store.append('away', events, 'none')).revision).toBe(0n);
  });

  it('keep when an event was recorded first, and show it as the port has it', async () => {
    const server = await scene.server();
    const store = await scene.store(server.url);
    const recordedAt = new Date('2020-02-03T04:05:06.789Z');
    const events = [...oneEvent(), ...oneEvent()].map((event, i) => (i === 0 ? { ...event, recordedAt } : event));
    await store.append('copied', events, 'none');
    const [copied, own] = await eventsOf(store, 'copied');
    expect(copied).toMatchObject({ recordedAt, metadata: events[0]?.metadata });
    expect(Object.keys(copied?.metadata ?? {})).not.toContain('recordedAt');
    expect(own?.recordedAt.getTime()).toBeGreaterThan(recordedAt.getTime());
    expect(await readAll(store)).toEqual([copied, own]);
  });

  it('answer with the cursor that subscriptions show when one append shares a commit position', async () => {
    const server = await scene.server({ sharedCommits: true });
    const store = await scene.store(server.url);
    const first = await store.append('shared', someEvents(3), 'none');
    const second = await store.append('shared', someEvents(3), 2n);
    const all = await readAll(store);
    expect([all[2]?.cursor, all[5]?.cursor]).toEqual([first.cursor, second.cursor]);
    expect(await readAll(store, all[1]?.cursor)).toEqual(all.slice(2));
  });
});
