import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkComplete, writeFromAllSides } from '../../contract/event-store.contract.js';
import { oneEvent, someEvents } from '../../contract/events.js';
import { eventsIn, Follower, followUntil, readAll } from '../../contract/follow.js';
import { EventStoreDbScene } from '../../support/eventstoredb-scene.js';
import { waitFor } from '../../support/wait-for.js';

describe('subscriptions to EventStoreDB in trouble', () => {
  let scene: EventStoreDbScene;
  beforeEach(() => {
    scene = new EventStoreDbScene();
  });
  afterEach(async () => {
    await scene.end();
    expect(scene.uncaught).toEqual([]);
  });

  it('miss and repeat nothing while the server is killed, cut off and ends them under 16 writers', async () => {
    const server = await scene.server();
    const [store, reader] = [await scene.store(server.url), await scene.store(server.url)];
    const follower = new Follower(reader);
    const writing = { done: false };
    const faults = [
      () => server.stop().then(() => server.start()),
      () => server.cutConnections(),
      () => server.dropSubscriptions(),
    ];
    const breaking = (async () => {
      for (let i = 0, seen = 0; !writing.done; i++, seen = follower.events.length) {
        await faults[i % faults.length]?.();
        await follower.until(() => writing.done || follower.events.length > seen + 100);
      }
    })();
    const written = await writeFromAllSides([store, reader], 40);
    writing.done = true;
    await store.append('the end', oneEvent(), 'any');
    await breaking;
    await follower.until(() => follower.events.at(-1)?.stream === 'the end');
    await follower.stop();
    checkComplete(follower.events.slice(0, -1), written);
  });

  it('go on after a clean end, which comes with no error', async () => {
    const server = await scene.server();
    const store = await scene.store(server.url);
    const follower = new Follower(store);
    for (let round = 1; round <= 3; round++) {
      await store.append('ended', oneEvent(), 'any');
      await follower.until(() => follower.events.length === round);
      server.dropSubscriptions();
      await waitFor('a new subscription', () => server.subscriptions === 1);
    }
    await follower.stop();
  });

  it('go on after the network was a black hole', async () => {
    const server = await scene.server();
    const store = await scene.store(`${server.url}&keepAliveTimeout=1000`);
    const follower = new Follower(store);
    await store.append('before', oneEvent(), 'any');
    await follower.until(() => follower.events.length === 1);
    server.stall();
    await waitFor('the loss to be noticed', () => scene.logged.some((line) => line.includes('is lost')));
    server.resume();
    await store.append('after', oneEvent(), 'any');
    await follower.until(() => follower.events.length === 2);
    await follower.stop();
    expect(scene.logged.some((line) => line.includes('is back'))).toBe(true);
  });

  it('end promptly in a black hole', async () => {
    const server = await scene.server();
    const store = await scene.store(server.url);
    server.stall();
    const follower = new Follower(store);
    await follower.stop();
    server.resume();
    expect(follower.events).toEqual([]);
  });

  it.each([true, false])(
    'read a history of mostly other types (the server tells progress: %s)',
    async (tellsProgress) => {
      const server = await scene.server({ tellsProgress });
      const store = await scene.store(server.url);
      const wanted = ['A.b', 'C'];
      for (let i = 0; i < 3; i++)
        await store.append(
          'rare',
          [...someEvents(300, 'Axb'), ...someEvents(1, 'A.b'), ...someEvents(200, 'CC')],
          'any',
        );
      await store.append('rare', oneEvent('C'), 'any');
      await store.append('rare', someEvents(10, 'Noise'), 'any');
      const items = await followUntil(store, { after: null, types: wanted }, (all) => all.at(-1)?.kind === 'caughtUp');
      expect(eventsIn(items).map(({ type }) => type)).toEqual(['A.b', 'A.b', 'A.b', 'C']);
      expect(items.at(-1)?.cursor).toBe(await store.head());
    },
  );

  it('keep a slow reader from collecting the log, and give it everything', async () => {
    const server = await scene.server();
    const store = await scene.store(server.url);
    const end = new AbortController();
    const subscription = store.subscribe({ after: null, signal: end.signal })[Symbol.asyncIterator]();
    await subscription.next();
    for (let i = 0; i < 4; i++) await store.append('slow', someEvents(400), 'any');
    const seen: string[] = [];
    let largest = 0;
    while (seen.length < 1600) {
      const { value } = await subscription.next();
      const events = value ? eventsIn([value]) : [];
      largest = Math.max(largest, events.length);
      seen.push(...events.map(({ id }) => id));
    }
    expect(largest).toBeLessThanOrEqual(1000);
    end.abort();
    await subscription.next();
    expect(seen).toEqual((await readAll(store)).map(({ id }) => id));
  });

  it('show neither events of the server nor those of another program, and the head is behind none of them', async () => {
    const server = await scene.server({ systemEventEvery: 1 });
    const store = await scene.store(server.url);
    const { cursor } = await store.append('ours', oneEvent(), 'none');
    for (const [stream, type] of [
      ['theirs', 'Foreign'],
      ['$settings', 'update'],
      ['odst-log', 'Renamed'],
    ] as const) {
      server.log.append(
        stream,
        [{ id: crypto.randomUUID(), type, isJson: true, data: Buffer.from('{}'), metadata: new Uint8Array() }],
        'any',
      );
    }
    expect(await store.head()).toBe(cursor);
    const items = await followUntil(store, { after: null }, (all) => all.at(-1)?.kind === 'caughtUp');
    expect(eventsIn(items).map(({ stream }) => stream)).toEqual(['ours']);
    expect(items.at(-1)?.cursor).toBe(cursor);
  });

  it('names the log once, whoever is first', async () => {
    const server = await scene.server();
    const stores = await Promise.all([1, 2, 3].map(() => scene.store(server.url)));
    const epochs = await Promise.all(stores.map((store) => store.epoch()));
    expect(new Set(epochs).size).toBe(1);
    expect(server.log.stream('odst-log')).toHaveLength(1);
    expect(await (await scene.store((await scene.server()).url)).epoch()).not.toBe(epochs[0]);
  });
});
