import { v4 } from 'uuid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/kernel/events.js';
import {
  EventStoreUnavailable,
  MAX_EVENT_BYTES,
  RevisionConflict,
  type EventStore,
} from '../../src/ports/event-store.port.js';
import { oneEvent, someEvents } from './events.js';
import { eventsIn, Follower, followUntil, readAll } from './follow.js';

/** An engine under test. */
export interface EventStoreEngine {
  /** One more client of the same log, which was empty at first unless it is `isUsed`. */
  open(): EventStore | Promise<EventStore>;
  close(): Promise<void>;
  /** Takes the log away from all its clients for a moment; left out by an engine that can't. */
  interrupt?(): Promise<void>;
  /** Events that each of 16 writers writes in the largest test; 1300 when left out. */
  readonly eventsPerWriter?: number;
  /** The log may hold what earlier runs wrote. */
  readonly isUsed?: boolean;
}

const WRITERS = 16;
const EVENTS_PER_WRITER = 1300;

/** What every event store engine must keep. */
export function eventStoreContract(name: string, start: () => Promise<EventStoreEngine>): void {
  describe(`event store: ${name}`, () => {
    let engine: EventStoreEngine;
    let store: EventStore;
    /** Where the log stood at first. */
    let origin: string | null;
    const run = v4().slice(0, 8);
    /** Streams and types of this run. */
    const own = (name: string): string => `${name} ${run}`;
    beforeAll(async () => {
      engine = await start();
      store = await engine.open();
      origin = await store.head();
    });
    afterAll(() => engine.close());

    const streamOf = async (stream: string, from?: bigint): Promise<RecordedEvent[]> => {
      const events: RecordedEvent[] = [];
      for await (const event of store.readStream(own(stream), from)) events.push(event);
      return events;
    };

    describe('append', () => {
      it('starts with an empty log, if it is a new one', async () => {
        expect(engine.isUsed ? null : origin).toBeNull();
        expect(await readAll(store, origin)).toEqual([]);
      });

      it('returns events as they were written', async () => {
        const data = {
          text: 'ä€😀 "\\ \n',
          zero: 'a\u0000b',
          lone: '\ud800',
          nested: [1, 0.1, null, { b: true }],
          big: 9007199254740991,
        };
        const [event] = oneEvent('Written', data);
        const before = Date.now();
        const appended = await store.append(own('read-back'), event ? [event] : [], 'none');
        const [read] = await streamOf('read-back');
        expect(read).toMatchObject({ ...event, data, stream: own('read-back'), revision: 0n, cursor: appended.cursor });
        expect(Math.abs((read?.recordedAt.getTime() ?? 0) - before)).toBeLessThan(5000);
      });

      it('keeps the time of an event that is copied from another log, and its metadata as it was', async () => {
        const [copied, fresh] = someEvents(2);
        if (!copied || !fresh) throw new Error('unreachable');
        const recordedAt = new Date('2024-02-29T23:59:59.123Z');
        const before = Date.now();
        await store.append(own('copied'), [{ ...copied, recordedAt }, fresh], 'none');
        const [first, second] = await streamOf('copied');
        expect(first).toMatchObject({ ...copied, recordedAt });
        expect(first?.metadata).toEqual(copied.metadata);
        expect(Math.abs((second?.recordedAt.getTime() ?? 0) - before)).toBeLessThan(5000);
        const subscribed = (await readAll(store)).find(({ id }) => id === copied.id);
        expect(subscribed).toEqual(first);
      });

      it('counts revisions from 0 and keeps to the expected one', async () => {
        const first = await store.append(own('expected'), someEvents(3), 'none');
        expect(first.revision).toBe(2n);
        expect((await store.append(own('expected'), oneEvent(), 2n)).revision).toBe(3n);
        expect((await store.append(own('expected'), oneEvent(), 'any')).revision).toBe(4n);
        const conflict = await store.append(own('expected'), oneEvent(), 2n).catch((error: unknown) => error);
        expect(conflict).toBeInstanceOf(RevisionConflict);
        expect(conflict).toMatchObject({ stream: own('expected'), expected: 2n, actual: 4n });
        await expect(store.append(own('expected'), oneEvent(), 'none')).rejects.toBeInstanceOf(RevisionConflict);
        await expect(store.append(own('expected'), oneEvent(), 9n)).rejects.toBeInstanceOf(RevisionConflict);
        await expect(store.append(own('not there'), oneEvent(), 0n)).rejects.toMatchObject({ actual: null });
        expect(await streamOf('expected')).toHaveLength(5);
        expect((await streamOf('expected', 3n)).map(({ revision }) => revision)).toEqual([3n, 4n]);
        expect(await streamOf('not there')).toEqual([]);
      });

      it('is atomic and in order when it has several events', async () => {
        const events = Array.from({ length: 50 }, (_, i) => someEvents(1, 'Numbered', { i })).flat();
        await store.append(own('atomic'), events, 'none');
        const refused = [...someEvents(2), ...oneEvent('Huge', 'x'.repeat(MAX_EVENT_BYTES))];
        await expect(store.append(own('atomic'), refused, 49n)).rejects.toThrow(/bytes/);
        expect((await streamOf('atomic')).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
      });

      it('changes nothing when it is repeated, and answers as the first time', async () => {
        const events = someEvents(3);
        const first = await store.append(own('repeated'), events, 'none');
        await store.append(own('repeated'), oneEvent(), 2n);
        expect(await store.append(own('repeated'), events, 'none')).toEqual(first);
        expect(await streamOf('repeated')).toHaveLength(4);
      });

      it('is recorded once when it is repeated at the same time by several clients', async () => {
        const clients = [store, await engine.open(), await engine.open()];
        const events = someEvents(2);
        const answers = await Promise.all(
          Array.from({ length: 30 }, (_, i) => clients[i % 3]?.append(own('at once'), events, 'none')),
        );
        expect(new Set(answers.map((answer) => answer?.cursor))).toHaveProperty('size', 1);
        expect(await streamOf('at once')).toHaveLength(2);
      });

      it('refuses ids that belong to another append, and its neighbours go through', async () => {
        const [taken, fresh] = someEvents(2);
        if (!taken || !fresh) throw new Error('unreachable');
        await store.append(own('clash'), [taken], 'none');
        const together = await Promise.allSettled([
          store.append(own('clash'), [taken, fresh], 'any'),
          store.append(own('clash elsewhere'), [taken], 'any'),
          store.append(own('clash'), [{ ...fresh, id: 'not a uuid' }], 'any'),
          store.append(own('clash neighbour'), oneEvent(), 'none'),
        ]);
        expect(together.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'fulfilled']);
        expect(await streamOf('clash')).toHaveLength(1);
      });

      it('lets exactly one of many writers have a revision', async () => {
        await store.append(own('contended'), oneEvent(), 'none');
        const clients = [store, await engine.open()];
        const tries = await Promise.allSettled(
          Array.from({ length: 20 }, (_, i) => (clients[i % 2] ?? store).append(own('contended'), oneEvent(), 0n)),
        );
        expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        const errors = tries.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
        expect(errors.every((error) => error instanceof RevisionConflict)).toBe(true);
        expect(errors.some((error) => error instanceof EventStoreUnavailable)).toBe(false);
      });
    });

    describe('subscribe', () => {
      it('reads the history, says so once, then follows live within 50 ms', async () => {
        await store.append(own('history'), someEvents(1500), 'none');
        const history = await readAll(store, origin);
        const follower = new Follower(store, { after: origin });
        await follower.until(() => follower.events.length >= history.length);
        const delays: number[] = [];
        for (let i = 0; i < 20; i++) {
          const seen = follower.events.length;
          await store.append(own('live'), oneEvent(), 'any');
          const committed = performance.now();
          await follower.until(() => follower.events.length > seen);
          delays.push(performance.now() - committed);
        }
        await follower.stop();
        expect(delays.sort((a, b) => a - b)[10]).toBeLessThan(50);
        expect(follower.events.slice(0, history.length)).toEqual(history);
      });

      it('says caughtUp exactly once', async () => {
        const items = await followUntil(store, { after: origin }, (all) => all.at(-1)?.kind === 'caughtUp');
        expect(items.filter(({ kind }) => kind === 'caughtUp')).toHaveLength(1);
        expect(items.at(-1)?.cursor).toBe(await store.head());
      });

      it('goes on from any cursor', async () => {
        const all = await readAll(store, origin);
        for (let i = 0; i < all.length; i += Math.ceil(all.length / 7)) {
          const rest = await readAll(store, all[i]?.cursor ?? null);
          expect(rest.map(({ id }) => id)).toEqual(all.slice(i + 1).map(({ id }) => id));
        }
        const head = await store.head();
        expect(await readAll(store, head)).toEqual([]);
        const cursors = all.map(({ cursor }) => cursor);
        expect(cursors.toSorted((a, b) => store.compareCursors(a, b))).toEqual(cursors);
        expect(store.compareCursors(null, cursors[0] ?? null)).toBeLessThan(0);
      });

      it('reads wanted types only, and tells how far it looked', async () => {
        const { cursor } = await store.append(own('rare'), oneEvent(own('Rare')), 'none');
        await store.append(own('noise'), someEvents(1200, 'Noise'), 'none');
        const head = await store.head();
        const types = [own('Rare'), 'Unheard'];
        const items = await followUntil(store, { after: origin, types }, (all) => all.at(-1)?.kind === 'caughtUp');
        expect(eventsIn(items)).toHaveLength(1);
        expect(store.compareCursors(items.at(-1)?.cursor ?? null, head)).toBe(0);
        const again = await followUntil(store, { after: cursor, types }, (all) => all.at(-1)?.kind === 'caughtUp');
        expect(eventsIn(again)).toEqual([]);
      });

      it('tells how far it looked also while it is live', async () => {
        const seen = new Follower(store, { after: await store.head(), types: [own('Wanted')] });
        await store.append(own('live noise'), someEvents(10, 'Noise'), 'none');
        const head = await store.head();
        await seen.until(() => seen.cursor === head);
        await store.append(own('live noise'), oneEvent(own('Wanted')), 'any');
        await seen.until(() => seen.events.length === 1);
        await seen.stop();
      });

      it('refuses what is not a cursor', async () => {
        await expect(readAll(store, 'x')).rejects.toMatchObject({ code: 'INVALID_CURSOR' });
      });
    });

    it('tells which event is at a cursor, and that there is none', async () => {
      const events = someEvents(3);
      const { cursor } = await store.append(own('places'), events, 'none');
      expect(await store.idAt(cursor)).toBe(events[2]?.id);
      for (const event of await streamOf('places')) expect(await store.idAt(event.cursor)).toBe(event.id);
      const beyond = cursor.replaceAll(/\d+/g, (digits) => String(BigInt(digits) + 1_000_000n));
      expect(await store.idAt(beyond)).toBeNull();
      await expect((async () => store.idAt('nonsense'))()).rejects.toThrow(/cursor/);
    });

    it('has an epoch that all clients agree on', async () => {
      const epochs = await Promise.all([store.epoch(), (await engine.open()).epoch(), store.epoch()]);
      expect(new Set(epochs).size).toBe(1);
    });

    it(`${WRITERS} writers and a reader at the tail: nothing missed, twice or out of order`, async () => {
      const perWriter = engine.eventsPerWriter ?? EVENTS_PER_WRITER;
      const follower = new Follower(await engine.open(), { after: await store.head() });
      const written = await writeFromAllSides(
        [store, await engine.open(), await engine.open(), await engine.open()],
        perWriter,
      );
      await follower.until(() => follower.events.length >= written.size);
      await follower.stop();
      expect(written.size).toBe(WRITERS * perWriter);
      checkComplete(follower.events, written);
    });
  });
}

/** 16 writers on streams of their own and one that they share; the ids of what was written. */
export async function writeFromAllSides(
  stores: readonly EventStore[],
  perWriter = EVENTS_PER_WRITER,
): Promise<Set<string>> {
  const ids = new Set<string>();
  const write = async (writer: number): Promise<void> => {
    const store = stores[writer % stores.length];
    if (!store) throw new Error('No store to write to');
    for (let left = perWriter; left > 0;) {
      const events = someEvents(Math.min(left, 1 + (left % 3)));
      await store.append(left % 5 === 0 ? 'shared by writers' : `writer ${writer}`, events, 'any');
      for (const { id } of events) ids.add(id);
      left -= events.length;
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  return ids;
}

/** Exactly these events, each once, and revisions without a gap within each stream. */
export function checkComplete(read: readonly RecordedEvent[], written: ReadonlySet<string>): void {
  const seen = new Set(read.map(({ id }) => id));
  expect({ missed: [...written].filter((id) => !seen.has(id)).length, twice: read.length - seen.size }).toEqual({
    missed: 0,
    twice: 0,
  });
  const last = new Map<string, bigint>();
  const outOfOrder = read.filter(({ stream, revision }) => {
    const before = last.get(stream);
    last.set(stream, revision);
    return before !== undefined && revision !== before + 1n;
  });
  expect(outOfOrder).toEqual([]);
}
