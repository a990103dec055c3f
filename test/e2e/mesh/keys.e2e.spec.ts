import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { registerPeers } from '../../../src/cli/demo/demo-steps.js';
import { findFreePort } from '../../../src/cli/demo/server-process.js';
import { fullMeshOf, RealMesh } from '../../support/real-mesh.js';
import { sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
const Peers = z.object({
  peers: z.array(
    z.object({ id: z.string(), name: z.string(), url: z.string(), publicKey: z.string(), knowsOurKey: z.boolean() }),
  ),
});
const Rotated = z.object({ rotateServerKey: z.object({ publicKey: z.string() }) });

let mesh: RealMesh;
beforeAll(async () => {
  mesh = await RealMesh.start(3, fullMeshOf(3));
});
afterAll(() => mesh.dispose());

const peersOf = async (server: number) =>
  (await (await mesh.at(server).client()).ask('{ peers { id name url publicKey knowsOurKey } }', Peers)).peers;
const keyAt = async (server: number, name: string) =>
  (await peersOf(server)).find((peer) => peer.name === name)?.publicKey;

it('a server changes its key during a replication, while one peer is away', { timeout: 300_000 }, async () => {
  await mesh.at(2).stop();
  const bytes = randomBytes(64 * MIB);
  const upload = mesh.at(1).put('during.pkg', bytes);
  const keys: string[] = [];
  for (const _ of [1, 2]) {
    const { rotateServerKey } = await (
      await mesh.at(1).client()
    ).ask('mutation { rotateServerKey { publicKey } }', Rotated);
    keys.push(rotateServerKey.publicKey);
  }
  expect((await upload).status).toBe(201);
  await waitFor('the peer that is there to know the last key', async () => (await keyAt(0, 'b')) === keys[1]);
  expect((await peersOf(1)).map(({ name, knowsOurKey }) => [name, knowsOurKey])).toContainEqual(['c', false]);
  await mesh.at(2).start();
  await waitFor('the peer that was away to know it too', async () => (await keyAt(2, 'b')) === keys[1]);
  await waitFor('all to be acknowledged', async () => (await peersOf(1)).every(({ knowsOurKey }) => knowsOurKey));
  await mesh.converges(new Map([['during.pkg', sha256(bytes)]]));
});

it('a server that is unregistered on one side hears so, and can be registered anew', { timeout: 300_000 }, async () => {
  const b = (await peersOf(0)).find(({ name }) => name === 'b');
  await (
    await mesh.at(0).client()
  ).ask('mutation ($id: ID!) { unregisterPeer(id: $id) { id } }', z.unknown(), { id: b?.id });
  await waitFor('the message at B', () => /Cannot follow a: it has unregistered this server/.test(mesh.at(1).output));
  await registerPeers(await mesh.at(0).client(), await mesh.at(1).client());
  const bytes = randomBytes(2 * MIB);
  await mesh.at(0).put('anew.pkg', bytes);
  await mesh.converges(new Map([['anew.pkg', sha256(bytes)]]));
});

it('a server that moves to another port is found there by its peers', { timeout: 300_000 }, async () => {
  const b = mesh.at(1);
  await b.stop();
  b.port = await findFreePort(0);
  await b.start();
  const urlAt = async (server: number) => (await peersOf(server)).find(({ name }) => name === 'b')?.url;
  for (const server of [0, 2]) await waitFor('the new address', async () => (await urlAt(server)) === b.url);
  const bytes = randomBytes(MIB);
  expect((await b.put('moved.pkg', bytes)).status).toBe(201);
  for (const server of [0, 2]) {
    await waitFor('the copy', async () => (await mesh.at(server).servedDigest('moved.pkg')) === sha256(bytes));
  }
});
