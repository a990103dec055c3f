import {
  END,
  eventTypeFilter,
  excludeSystemEvents,
  streamNameFilter,
  type EventStoreDBClient,
} from '@eventstore/db-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventStoreDbServer } from '../../support/eventstoredb/eventstoredb-server.js';
import { waitFor } from '../../support/wait-for.js';
import { Clients, Heard, manyEvents, someEvent } from './clients.js';

describe('the EventStoreDB that tests use: subscriptions', () => {
  const clients = new Clients();
  let server: EventStoreDbServer;
  let client: EventStoreDBClient;
  beforeEach(async () => {
    server = await EventStoreDbServer.start();
    client = clients.connect(server.url);
  });
  afterEach(async () => {
    await clients.close();
    await server.stop();
  });

  it('reads history, says that it caught up, and goes on live', async () => {
    await client.appendToStream('history', manyEvents(3));
    const heard = new Heard().to(client.subscribeToAll({ filter: excludeSystemEvents() }));
    await waitFor('the end of history', () => heard.signals.includes('caughtUp'));
    expect(heard.types).toEqual(['Tested', 'Tested', 'Tested']);
    await client.appendToStream('history', someEvent('Live'));
    await waitFor('a live event', () => heard.types.includes('Live'));
    expect(heard.signals).toEqual(['confirmation', 'caughtUp']);
  });

  it('shows its own events to whom does not filter them', async () => {
    const heard = new Heard().to(client.subscribeToAll());
    for (let i = 0; i < 5; i++) await client.appendToStream('unfiltered', someEvent());
    await waitFor('a system event', () => heard.types.includes('$statsCollected'));
  });

  it.each([
    ['types by prefix', eventTypeFilter({ prefixes: ['Wan', 'Des'] }), ['Wanted', 'Desired']],
    ['types by expression', eventTypeFilter({ regex: '^(Wanted|Other)$' }), ['Wanted', 'Other']],
    ['streams by prefix', streamNameFilter({ prefixes: ['some-'] }), ['Wanted', 'Desired']],
    ['streams by expression', streamNameFilter({ regex: '^other$' }), ['Other']],
  ])('filters %s', async (_, filter, expected) => {
    await client.appendToStream('some-stream', [someEvent('Wanted'), someEvent('Desired')]);
    await client.appendToStream('other', someEvent('Other'));
    const heard = new Heard().to(client.subscribeToAll({ filter }));
    await waitFor('the end of history', () => heard.signals.includes('caughtUp'));
    await client.appendToStream('elsewhere', someEvent('Unwanted'));
    await client.appendToStream(expected.includes('Other') ? 'other' : 'some-stream', someEvent('Wanted'));
    await waitFor('a live event', () => heard.types.length > expected.length);
    expect(heard.types).toEqual([...expected, 'Wanted']);
  });

  it('follows one stream', async () => {
    await client.appendToStream('followed', manyEvents(2));
    const revisions: bigint[] = [];
    const subscription = client.subscribeToStream('followed', { fromRevision: 0n });
    subscription.on('data', ({ event }) => revisions.push(event?.revision ?? -1n));
    await client.appendToStream('not followed', someEvent());
    await client.appendToStream('followed', someEvent());
    await waitFor('the events after the first', () => revisions.length === 2);
    expect(revisions).toEqual([1n, 2n]);
  });

  it('goes on after a position', async () => {
    const { position } = await client.appendToStream('after', someEvent('First'));
    await client.appendToStream('after', someEvent('Second'));
    if (!position) throw new Error('An append has a position');
    const heard = new Heard().to(client.subscribeToAll({ fromPosition: position, filter: excludeSystemEvents() }));
    await waitFor('the next event', () => heard.types.length > 0);
    expect(heard.types).toEqual(['Second']);
  });

  it('sends a checkpoint whenever interval x window events were examined, in history and live', async () => {
    await client.appendToStream('noise', manyEvents(50, 'Noise'));
    const heard = new Heard();
    const options = {
      prefixes: ['Wanted'],
      maxSearchWindow: 5,
      checkpointInterval: 2,
      checkpointReached: heard.checkpoint,
    };
    heard.to(client.subscribeToAll({ filter: eventTypeFilter(options) }));
    const due = () => Math.floor(server.log.all.length / 10);
    await waitFor('the checkpoints of history', () => heard.checkpoints.length === due());
    expect(due()).toBe(5);
    for (let i = 0; i < 10; i++) await client.appendToStream('noise', someEvent('Noise'));
    await waitFor('a live checkpoint', () => heard.checkpoints.length === due() && due() > 5);
    const tenth = server.log.all[9];
    expect(heard.checkpoints[0]).toEqual({ commit: tenth?.commit, prepare: tenth?.prepare });
    expect(heard.types).toEqual([]);
  });

  it('falls behind when too much comes at once, and catches up again', async () => {
    const heard = new Heard().to(client.subscribeToAll({ fromPosition: END }));
    await waitFor('the start', () => heard.signals.includes('caughtUp'));
    await client.appendToStream('flood', manyEvents(500));
    await waitFor('all of it', () => heard.types.length >= 500);
    await waitFor('the end of it', () => heard.signals.length === 4);
    expect(heard.signals).toEqual(['confirmation', 'caughtUp', 'fellBehind', 'caughtUp']);
    expect(heard.positions.toSorted((a, b) => Number(a - b))).toEqual(heard.positions);
  });

  it('keeps the log while a reader is slow', async () => {
    await client.appendToStream('slow', manyEvents(2_000));
    const subscription = client.subscribeToAll({ filter: excludeSystemEvents() }).pause();
    const heard = new Heard().to(subscription);
    subscription.pause();
    await client.appendToStream('slow', someEvent('Last'));
    subscription.resume();
    await waitFor('everything', () => heard.types.at(-1) === 'Last');
    expect(heard.types).toHaveLength(2_001);
  });
});
