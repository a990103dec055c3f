import { randomUUID } from 'node:crypto';
import { BACKWARDS, END, NO_STREAM, START, STREAM_EXISTS, type EventStoreDBClient } from '@eventstore/db-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventStoreDbServer } from '../../support/eventstoredb/eventstoredb-server.js';
import { Clients, collect, manyEvents, someEvent } from './clients.js';

describe('the EventStoreDB that tests use: appending and reading', () => {
  const clients = new Clients();
  let server: EventStoreDbServer;
  let client: EventStoreDBClient;
  beforeAll(async () => {
    server = await EventStoreDbServer.start();
    client = clients.connect(server.url);
  });
  afterAll(async () => {
    await clients.close();
    await server.stop();
  });

  it('returns events as they were written', async () => {
    const event = { ...someEvent('Written', { text: 'ä€😀' }), metadata: { by: 'test' } };
    const before = Date.now();
    const { nextExpectedRevision, position } = await client.appendToStream('read back', event, {
      expectedRevision: NO_STREAM,
    });
    const [read] = await collect(client.readStream('read back'));
    expect(read?.event).toMatchObject({
      id: event.id,
      type: 'Written',
      data: event.data,
      metadata: event.metadata,
      isJson: true,
      position,
    });
    expect(nextExpectedRevision).toBe(0n);
    expect(Math.abs((read?.event?.created.getTime() ?? 0) - before)).toBeLessThan(5_000);
  });

  it('reads a stream in both directions, from anywhere, and says when there is none', async () => {
    await client.appendToStream('directions', manyEvents(5));
    const revisions = async (options: Parameters<EventStoreDBClient['readStream']>[1]) =>
      (await collect(client.readStream('directions', options))).map(({ event }) => Number(event?.revision));
    expect(await revisions({ fromRevision: 3n })).toEqual([3, 4]);
    expect(await revisions({ maxCount: 2 })).toEqual([0, 1]);
    expect(await revisions({ direction: BACKWARDS, fromRevision: END, maxCount: 2 })).toEqual([4, 3]);
    expect(await revisions({ direction: BACKWARDS, fromRevision: 1n })).toEqual([1, 0]);
    expect(await revisions({ fromRevision: 9n })).toEqual([]);
    await expect(collect(client.readStream('not there'))).rejects.toMatchObject({ type: 'stream-not-found' });
  });

  it.each([
    ['in batches', {}],
    ['one by one', { credentials: { username: 'makes the client', password: 'use Append' } }],
  ])('keeps to the expected revision, appending %s', async (name, options) => {
    const append = (expectedRevision: bigint | 'no_stream' | 'stream_exists', stream = `expected ${name}`) =>
      client.appendToStream(stream, someEvent(), { expectedRevision, ...options }).catch((error: unknown) => error);
    expect(await append(STREAM_EXISTS)).toMatchObject({
      type: 'wrong-expected-version',
      actualVersion: 'no_stream',
      expectedVersion: 'stream_exists',
    });
    expect(await append(0n)).toMatchObject({
      type: 'wrong-expected-version',
      actualVersion: 'no_stream',
      expectedVersion: 0n,
    });
    expect(await append(NO_STREAM)).toMatchObject({ success: true, nextExpectedRevision: 0n });
    expect(await append(0n)).toMatchObject({ success: true, nextExpectedRevision: 1n });
    expect(await append(0n)).toMatchObject({ type: 'wrong-expected-version', actualVersion: 1n, expectedVersion: 0n });
    expect(await append(9n)).toMatchObject({ actualVersion: 1n });
    expect(await append(NO_STREAM)).toMatchObject({ actualVersion: 1n, expectedVersion: 'no_stream' });
    expect(await append(STREAM_EXISTS)).toMatchObject({ nextExpectedRevision: 2n });
  });

  it('answers a repeated append as the first time', async () => {
    const events = manyEvents(3);
    const first = await client.appendToStream('repeated', events, { expectedRevision: NO_STREAM });
    await client.appendToStream('repeated', someEvent(), { expectedRevision: 2n });
    expect(await client.appendToStream('repeated', events, { expectedRevision: NO_STREAM })).toEqual(first);
    expect(await client.appendToStream('repeated', events)).toEqual(first);
    expect(await collect(client.readStream('repeated'))).toHaveLength(4);
    const halfNew = [...events.slice(0, 1), someEvent()];
    await expect(client.appendToStream('repeated', halfNew)).rejects.toMatchObject({ type: 'wrong-expected-version' });
    await expect(client.appendToStream('repeated', halfNew, { expectedRevision: NO_STREAM })).rejects.toMatchObject({
      actualVersion: 3n,
    });
  });

  it('stores an event a second time in another stream, and at the revision that was expected', async () => {
    const event = someEvent();
    await client.appendToStream('one home', event);
    expect(await client.appendToStream('another home', event)).toMatchObject({ nextExpectedRevision: 0n });
    expect(await client.appendToStream('one home', event, { expectedRevision: 0n })).toMatchObject({
      nextExpectedRevision: 1n,
    });
  });

  it.each([
    ['in batches', {}],
    ['one by one', { credentials: { username: 'makes the client', password: 'use Append' } }],
  ])('refuses an append of more than 1 MiB, appending %s', async (name, options) => {
    const large = (bytes: number) =>
      client.appendToStream(`large ${name}`, someEvent('Large', { text: 'x'.repeat(bytes) }), options);
    await expect(large(1024 * 1024)).rejects.toMatchObject({
      type: 'maximum-append-size-exceeded',
      maxAppendSize: 1024 * 1024,
    });
    await expect(large(1024 * 1024 - 100)).resolves.toMatchObject({ nextExpectedRevision: 0n });
    const several = Array.from({ length: 5 }, () => someEvent('Large', { text: 'x'.repeat(300_000) }));
    await expect(client.appendToStream(`large ${name}`, several, options)).rejects.toMatchObject({
      type: 'maximum-append-size-exceeded',
    });
  });

  it('refuses what is no UUID, and nothing else in flight', async () => {
    const [bad, good] = await Promise.allSettled([
      client.appendToStream('ids', someEvent('Tested', {}, 'not a uuid' as ReturnType<typeof randomUUID>)),
      client.appendToStream('ids', someEvent()),
    ]);
    expect([bad?.status, good?.status]).toEqual(['rejected', 'fulfilled']);
  });

  it('numbers positions with gaps, and mixes in events of its own', async () => {
    for (let i = 0; i < 12; i++) await client.appendToStream('gaps', someEvent());
    const all = await collect(client.readAll());
    const commits = all.map(({ event }) => event?.position?.commit ?? 0n);
    const gaps = commits.slice(1).map((commit, i) => commit - (commits[i] ?? 0n));
    expect(gaps.every((gap) => gap > 100n)).toBe(true);
    const types = new Set(all.map(({ event }) => event?.type));
    expect([...types]).toEqual(
      expect.arrayContaining(['$metadata', '$epoch-information', '$statsCollected', 'Tested']),
    );
  });

  it('reads $all from a position: forwards with it, backwards without it', async () => {
    const all = (await collect(client.readAll({ fromPosition: START }))).flatMap(({ event }) => event?.position ?? []);
    const commits = async (options: Parameters<EventStoreDBClient['readAll']>[0]) =>
      (await collect(client.readAll(options))).map(({ event }) => event?.position);
    const fromPosition = all[5] ?? START;
    expect(await commits({ fromPosition, maxCount: 2 })).toEqual(all.slice(5, 7));
    expect(await commits({ fromPosition, direction: BACKWARDS, maxCount: 2 })).toEqual([all[4], all[3]]);
    expect(await commits({ fromPosition: END, direction: BACKWARDS, maxCount: 1 })).toEqual(all.slice(-1));
    const between = { commit: (all[5]?.commit ?? 0n) + 1n, prepare: (all[5]?.prepare ?? 0n) + 1n };
    await expect(commits({ fromPosition: between })).rejects.toThrow(/invalid position/);
  });

  it('takes the appends of many writers at once', async () => {
    const write = async (writer: number): Promise<void> => {
      for (let i = 0; i < 30; i++)
        await client.appendToStream(`writer ${writer}`, someEvent(), {
          expectedRevision: i === 0 ? NO_STREAM : BigInt(i - 1),
        });
    };
    await Promise.all(Array.from({ length: 32 }, (_, writer) => write(writer)));
    expect(server.log.all.filter(({ stream }) => stream.startsWith('writer '))).toHaveLength(32 * 30);
  });
});
