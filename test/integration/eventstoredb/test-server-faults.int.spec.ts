import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { excludeSystemEvents, NO_STREAM, START } from '@eventstore/db-client';
import { afterEach, describe, expect, it } from 'vitest';
import { Child } from '../../support/child.js';
import { EventStoreDbServer } from '../../support/eventstoredb/eventstoredb-server.js';
import type { ServerOptions } from '../../support/eventstoredb/options.js';
import { waitFor } from '../../support/wait-for.js';
import { Clients, collect, Heard, manyEvents, someEvent } from './clients.js';

const tlsFile = (name: string): URL => new URL(`../../support/tls/${name}`, import.meta.url);

describe('the EventStoreDB that tests use: faults and access', () => {
  const clients = new Clients();
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    await clients.close();
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });

  const start = async (options?: ServerOptions): Promise<EventStoreDbServer> => {
    const server = await EventStoreDbServer.start(options);
    cleanups.push(() => server.stop());
    return server;
  };
  const listen = async (server: EventStoreDbServer): Promise<Heard> => {
    const heard = new Heard().to(clients.connect(server.url).subscribeToAll({ filter: excludeSystemEvents() }));
    await waitFor('the subscription', () => heard.signals.includes('caughtUp'));
    return heard;
  };
  const folder = async (): Promise<string> => {
    const path = await mkdtemp(join(tmpdir(), 'eventstoredb-'));
    cleanups.push(() => rm(path, { recursive: true }));
    return path;
  };

  it('ends subscriptions in good order', async () => {
    const server = await start();
    const heard = await listen(server);
    server.dropSubscriptions();
    await waitFor('the end', () => heard.signals.includes('end'));
    expect(heard.error).toBeUndefined();
    await waitFor('the server to forget it', () => server.subscriptions === 0);
  });

  it('cuts connections, and takes new ones', async () => {
    const server = await start();
    const heard = await listen(server);
    server.cutConnections();
    await waitFor('the error', () => heard.error);
    expect(heard.error).toMatchObject({ type: 'unavailable' });
    await listen(server);
  });

  it('has the same content and port after a restart', async () => {
    const server = await start();
    const { url } = server;
    await clients.connect(url).appendToStream('kept', manyEvents(3));
    const heard = await listen(server);
    await server.stop();
    await waitFor('the error', () => heard.error);
    await server.start();
    expect(server.url).toBe(url);
    const again = await listen(server);
    expect(again.types).toHaveLength(3);
  });

  it('forgets at a restart which ids it saw, for appends that expect any revision', async () => {
    const server = await start();
    const event = someEvent();
    await clients.connect(server.url).appendToStream('forgotten', event);
    await clients.close();
    await server.stop();
    await server.start();
    const client = clients.connect(server.url);
    const repeat = () => client.appendToStream('forgotten', event, { expectedRevision: NO_STREAM });
    // Clients of one address share its connection, also one that was just reset.
    expect(await waitFor('a new connection', repeat)).toMatchObject({ nextExpectedRevision: 0n });
    expect(await client.appendToStream('forgotten', event)).toMatchObject({ nextExpectedRevision: 1n });
  });

  it('can give the events of an append one commit position', async () => {
    const client = clients.connect((await start({ sharedCommits: true })).url);
    await client.appendToStream('shared', manyEvents(3));
    const read = await collect(client.readStream('shared'));
    expect(new Set(read.map(({ event }) => event?.position?.commit)).size).toBe(1);
    expect(new Set(read.map(({ event }) => event?.position?.prepare)).size).toBe(3);
    const fromPosition = read[1]?.event?.position ?? START;
    const [next] = await collect(client.readAll({ fromPosition, maxCount: 1 }));
    expect(next?.event?.id).toBe(read[1]?.event?.id);
  });

  it('stores an append whose reply is lost', async () => {
    const server = await start();
    const event = someEvent();
    server.loseNextReply();
    await expect(
      clients.connect(server.url).appendToStream('lost', event, { expectedRevision: NO_STREAM }),
    ).rejects.toMatchObject({ type: 'unavailable' });
    expect(server.log.stream('lost')).toHaveLength(1);
    const retried = await clients.connect(server.url).appendToStream('lost', event, { expectedRevision: NO_STREAM });
    expect(retried).toMatchObject({ success: true, nextExpectedRevision: 0n });
    expect(server.log.stream('lost')).toHaveLength(1);
  });

  it('swallows everything until it resumes', async () => {
    const server = await start();
    const client = clients.connect(server.url);
    await client.appendToStream('stalled', someEvent());
    server.stall();
    let isAnswered = false;
    const late = client.appendToStream('stalled', someEvent()).finally(() => {
      isAnswered = true;
    });
    const newcomer = clients.connect(server.url).appendToStream('stalled', someEvent());
    await new Promise(setImmediate);
    expect([isAnswered, server.log.stream('stalled').length]).toEqual([false, 1]);
    server.resume();
    await Promise.all([late, newcomer]);
    expect(server.log.stream('stalled')).toHaveLength(3);
  });

  it('delays appends', async () => {
    const server = await start();
    const client = clients.connect(server.url);
    await client.appendToStream('delayed', someEvent());
    server.delayAppends(300);
    const started = performance.now();
    await client.appendToStream('delayed', someEvent());
    expect(performance.now() - started).toBeGreaterThan(290);
  });

  it('keeps in its file what was answered before it was killed', async () => {
    const dataFile = join(await folder(), 'log');
    const main = new URL('../../support/eventstoredb/main.ts', import.meta.url);
    const run = async (): Promise<[Child, string]> => {
      const child = new Child(main, { ESDB_FILE: dataFile });
      cleanups.push(() => child.kill());
      const line = await waitFor('the server to start', () => child.lines[0]);
      return [child, (JSON.parse(line) as { url: string }).url];
    };
    const [first, url] = await run();
    const event = someEvent('Kept', { text: 'ä' });
    const appended = await clients.connect(url).appendToStream('kept', [event, ...manyEvents(100)]);
    await first.kill();
    const [, nextUrl] = await run();
    const client = clients.connect(nextUrl);
    const ids = (await collect(client.readStream('kept'))).map(({ event }) => event?.id);
    expect([ids.length, ids[0]]).toEqual([101, event.id]);
    const later = await client.appendToStream('kept', someEvent());
    expect(later.position?.commit).toBeGreaterThan(appended.position?.commit ?? 0n);
  }, 150_000);

  it('forgets what was cut off in its file: that was never answered', async () => {
    const dataFile = join(await folder(), 'log');
    const server = await start({ dataFile });
    await clients.connect(server.url).appendToStream('whole', manyEvents(2));
    await clients.close();
    await server.stop();
    await appendFile(dataFile, '[{"id":"');
    await server.start();
    const client = clients.connect(server.url);
    const repeat = () => client.appendToStream('whole', someEvent(), { expectedRevision: 1n });
    expect(await waitFor('a new connection', repeat)).toMatchObject({ nextExpectedRevision: 2n });
    await clients.close();
    await server.stop();
    await server.start();
    expect(server.log.stream('whole')).toHaveLength(3);
  });

  it('is found by discovery', async () => {
    const server = await start();
    const client = clients.connect(server.discoverUrl);
    expect(await client.appendToStream('discovered', someEvent())).toMatchObject({ success: true });
  });

  it('speaks TLS, and lets in only who knows the password', async () => {
    const tls = { cert: await readFile(tlsFile('localhost.crt')), key: await readFile(tlsFile('localhost.key')) };
    const server = await start({ tls, user: { name: 'ods', password: 's&cret' } });
    const withCa = (url: string): string => `${url}&tlsCAFile=${fileURLToPath(tlsFile('localhost.crt'))}`;
    const client = clients.connect(withCa(server.url));
    expect(await client.appendToStream('secret', someEvent())).toMatchObject({ success: true });
    const wrong = clients.connect(withCa(server.url.replace('s%26cret', 'wrong')));
    await expect(wrong.appendToStream('secret', someEvent())).rejects.toMatchObject({ type: 'access-denied' });
    await expect(collect(wrong.readAll())).rejects.toMatchObject({ type: 'access-denied' });
    const anonymous = clients.connect(withCa(server.url.replace(/\/\/.*@/, '//')));
    await expect(anonymous.appendToStream('secret', someEvent())).rejects.toMatchObject({ type: 'access-denied' });
    expect(server.log.stream('secret')).toHaveLength(1);
    expect(await clients.connect(withCa(server.discoverUrl)).appendToStream('secret', someEvent())).toMatchObject({
      success: true,
    });
  });
});
