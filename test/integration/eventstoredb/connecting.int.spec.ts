import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StartupError } from '../../../src/kernel/errors.js';
import { oneEvent } from '../../contract/events.js';
import { Follower } from '../../contract/follow.js';
import { EventStoreDbScene } from '../../support/eventstoredb-scene.js';
import { waitFor } from '../../support/wait-for.js';

const CA = 'test/support/tls/localhost.crt';
const user = { name: 'odst', password: 'sec:ret' };

describe('connecting to EventStoreDB', () => {
  let scene: EventStoreDbScene;
  let folder: string;
  beforeEach(async () => {
    scene = new EventStoreDbScene();
    folder = await mkdtemp(join(tmpdir(), 'odst-esdb-'));
  });
  afterEach(async () => {
    await scene.end();
    await rm(folder, { recursive: true });
    expect(scene.uncaught).toEqual([]);
  });

  const tlsServer = async () => {
    const [cert, key] = await Promise.all([readFile(CA), readFile('test/support/tls/localhost.key')]);
    return scene.server({ tls: { cert, key }, user });
  };
  const failure = async (url: string, patience?: number): Promise<string> => {
    const error = await scene.store(url, patience).catch((reason: unknown) => reason);
    if (!(error instanceof StartupError)) throw new Error('It connected, or failed in another way', { cause: error });
    expect(error.message).not.toMatch(/\n|sec:ret|sec%3Aret/);
    expect(error.message).toContain('EVENTSTOREDB_URL');
    return error.message;
  };

  it('waits for a server that starts later, and says for which', async () => {
    const server = await scene.server();
    await server.stop();
    const connecting = scene.store(server.url);
    await waitFor('the server to be waited for', () =>
      scene.logged.some((line) => line.includes(`Waiting for EventStoreDB at 127.0.0.1:${server.port}`)),
    );
    await server.start();
    expect(await (await connecting).head()).toBeNull();
  });

  it('gives up in one line when the server does not come', async () => {
    const server = await scene.server();
    await server.stop();
    expect(await failure(server.url, 300)).toMatch(new RegExp(`127.0.0.1:${server.port} could not be used within 0 s`));
    expect(await failure(server.discoverUrl, 300)).toMatch(
      new RegExp(`127.0.0.1:${server.port} could not be used within 0 s`),
    );
  });

  it('gives up when nothing is answered', async () => {
    const server = await scene.server();
    server.stall();
    expect(await failure(server.url, 500)).toMatch(/could not be used within/);
  });

  it('goes by TLS with a CA file, user and password, to one node or by discovery', async () => {
    const server = await tlsServer();
    for (const url of [server.url, server.discoverUrl]) {
      const store = await scene.store(`${url}&tlsCAFile=${CA}`);
      const follower = new Follower(store, { after: await store.head() });
      await store.append('secure', oneEvent(), 'any');
      await follower.until(() => follower.events.length === 1);
      await follower.stop();
    }
  });

  it('refuses a wrong password and a missing user at once', async () => {
    const server = await tlsServer();
    const wrong = server.url.replace('sec%3Aret', 'wrong');
    expect(await failure(`${wrong}&tlsCAFile=${CA}`)).toMatch(`127.0.0.1:${server.port} refuses this user`);
    expect(await failure(`esdb://127.0.0.1:${server.port}?tlsCAFile=${CA}`)).toMatch('refuses this user');
    expect(await failure(`${wrong.replace('esdb:', 'esdb+discover:')}&tlsCAFile=${CA}`)).toMatch('refuses this user');
  });

  it('refuses a certificate that the CA did not sign, at once', async () => {
    const server = await tlsServer();
    const otherCa = join(folder, 'other.pem');
    await writeFile(otherCa, rootCertificates[0] ?? '');
    expect(await failure(`${server.url}&tlsCAFile=${otherCa}`)).toMatch(/no trusted TLS connection to 127.0.0.1:\d+/);
    expect(await failure(server.url)).toMatch(/Name its CA with tlsCAFile/);
  });

  it('refuses TLS to a server without, at once', async () => {
    const server = await scene.server();
    expect(await failure(`esdb://127.0.0.1:${server.port}`)).toMatch(/no trusted TLS connection/);
  });

  it('refuses a CA file that is not there or none', async () => {
    const notPem = join(folder, 'not.pem');
    await writeFile(notPem, 'hello');
    expect(await failure(`esdb://localhost:1?tlsCAFile=${folder}/gone.pem`)).toMatch(/ENOENT/);
    expect(await failure(`esdb://localhost:1?tlsCAFile=${notPem}`)).toMatch(/no PEM block/);
  });

  it('goes by discovery also when the node was away, and no promise is left uncaught', async () => {
    const server = await scene.server();
    const store = await scene.store(`${server.discoverUrl}&maxDiscoverAttempts=2&discoveryInterval=20`);
    const follower = new Follower(store);
    await server.stop();
    const appends = Promise.all([1, 2, 3].map((i) => store.append(`away ${i}`, oneEvent(), 'none')));
    await waitFor('the loss to be noticed', () => scene.logged.some((line) => line.includes('is lost')));
    await server.start();
    await appends;
    await follower.until(() => follower.events.length === 3);
    await follower.stop();
    expect(scene.logged.at(-1)).toMatch(/is back/);
  });
});
