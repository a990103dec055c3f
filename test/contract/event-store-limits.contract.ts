import { v4 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/kernel/events.js';
import { MAX_APPEND_BYTES, MAX_EVENT_BYTES, type EventStore } from '../../src/ports/event-store.port.js';
import type { EventStoreEngine } from './event-store.contract.js';
import { oneEvent, someEvents } from './events.js';
import { Follower } from './follow.js';

/** JSON of exactly so many bytes. */
const ofBytes = (bytes: number): string => 'x'.repeat(bytes - 2);

/** What every engine must keep at its limits and when the log goes away for a moment. */
export function eventStoreLimitsContract(name: string, start: () => Promise<EventStoreEngine>): void {
  describe(`event store at its limits: ${name}`, () => {
    let engine: EventStoreEngine;
    let store: EventStore;
    const run = v4().slice(0, 8);
    const own = (text: string): string => `${text} ${run}`;
    beforeAll(async () => {
      engine = await start();
      store = await engine.open();
    });
    afterAll(() => engine.close());

    const streamOf = async (stream: string): Promise<RecordedEvent[]> => {
      const events: RecordedEvent[] = [];
      for await (const event of store.readStream(stream)) events.push(event);
      return events;
    };

    it('takes an event of the largest size, and none above', async () => {
      const data = ofBytes(MAX_EVENT_BYTES);
      await store.append(own('large'), oneEvent('Large', data), 'none');
      expect((await streamOf(own('large'))).map((event) => event.data)).toEqual([data]);
      await expect(store.append(own('large'), oneEvent('Large', `${data}x`), 0n)).rejects.toThrow(/bytes/);
    });

    it('takes an append near the largest size, and refuses one above with its size', async () => {
      const events = someEvents(14, 'Large', ofBytes(MAX_EVENT_BYTES));
      const sizeOfRest = events.reduce(
        (sum, { type, metadata }) => sum + type.length + JSON.stringify(metadata).length,
        0,
      );
      const [rest] = oneEvent('Rest', 'x'.repeat(MAX_APPEND_BYTES - 14 * MAX_EVENT_BYTES - sizeOfRest - 1000));
      if (!rest) throw new Error('unreachable');
      await store.append(own('full'), [...events, rest], 'none');
      expect((await streamOf(own('full'))).map(({ id }) => id)).toEqual([...events, rest].map(({ id }) => id));
      const tooMuch = someEvents(15, 'Large', ofBytes(MAX_EVENT_BYTES));
      await expect(store.append(own('overfull'), tooMuch, 'none')).rejects.toThrow(
        /more than the maximum of \d+ bytes for one append/,
      );
      expect(await streamOf(own('overfull'))).toEqual([]);
    });

    it('refuses data that is no JSON before it is sent', async () => {
      const circular: { self?: object } = {};
      circular.self = circular;
      const notJson = (data: unknown) => oneEvent().map((event) => ({ ...event, data: data as string }));
      await expect(store.append(own('not json'), notJson({ big: 1n }), 'none')).rejects.toThrow(/BigInt/);
      await expect(store.append(own('not json'), notJson(circular), 'none')).rejects.toThrow(/circular/);
      await expect(store.append(own('not json'), oneEvent(), -1n)).rejects.toThrow('-1 is not a revision');
      expect(await streamOf(own('not json'))).toEqual([]);
    });

    it('goes on when the log was away: with its subscriptions, and nothing missed or twice', async ({ skip }) => {
      const { interrupt } = engine;
      if (!interrupt) return skip('this engine cannot be interrupted');
      const head = await store.head();
      const [all, some] = [
        new Follower(store, { after: head }),
        new Follower(store, { after: head, types: [own('Wanted')] }),
      ];
      const written: string[] = [];
      for (let round = 0; round < 3; round++) {
        const events = [...someEvents(3), ...someEvents(2, own('Wanted'))];
        const [, { cursor }] = await Promise.all([
          interrupt.call(engine),
          store.append(own('interrupted'), events, 'any'),
        ]);
        written.push(...events.map(({ id }) => id));
        await all.until(() => store.compareCursors(all.cursor, cursor) >= 0);
        await some.until(() => store.compareCursors(some.cursor, cursor) >= 0);
      }
      await Promise.all([all.stop(), some.stop()]);
      expect(all.events.map(({ id }) => id)).toEqual(written);
      expect(some.events).toEqual(all.events.filter(({ type }) => type === own('Wanted')));
    });

    it('tells a cursor that can be kept where nothing is of the wanted types, and goes on from there', async () => {
      const before = await store.head();
      await store.append(own('unwanted'), someEvents(2500, 'Noise'), 'none');
      const head = await store.head();
      const follower = new Follower(store, { after: before, types: [own('Late')] });
      await follower.until(() => store.compareCursors(follower.cursor, head) >= 0);
      await follower.stop();
      const next = new Follower(store, { after: follower.cursor, types: [own('Late')] });
      const { cursor } = await store.append(own('late'), oneEvent(own('Late')), 'none');
      await next.until(() => next.events.length > 0);
      await next.stop();
      expect(next.events.map((event) => event.cursor)).toEqual([cursor]);
      expect(follower.events).toEqual([]);
    });
  });
}
