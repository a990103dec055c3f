import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CommandBus } from '@nestjs/cqrs';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findFreePort } from '../../../src/cli/demo/server-process.js';
import { AnnounceAddressWorker } from '../../../src/modules/peers/addresses/announce-address.job.js';
import { AcceptInvitation } from '../../../src/modules/peers/registration/accept-invitation.command.js';
import { CreateInvitation } from '../../../src/modules/peers/registration/create-invitation.command.js';
import { NotedSharedIds } from '../../../src/modules/peers/addresses/noted-shared-ids.js';
import { PeerChanges } from '../../../src/modules/peers/registry/change-peer.command.js';
import { UpdateServer } from '../../../src/modules/server/update-server.command.js';
import { describeEvent } from '../../../src/platform/eventsourcing/event-descriptions.js';
import { ServerSecrets } from '../../../src/platform/secrets/server-secrets.js';
import { PeerDirectory } from '../../../src/ports/peer-directory.port.js';
import { PeerTransport } from '../../../src/ports/peer-transport.port.js';
import { ServerIdentity } from '../../../src/ports/server-identity.port.js';
import { startPeerApp } from '../../support/peer-app.js';
import { ServerHome } from '../../support/trusted-server.js';

interface Running {
  readonly home: ServerHome;
  readonly app: NestExpressApplication;
  readonly name: string;
}

const running: Running[] = [];

/** Starts a server whose address is not fixed by its environment. */
async function start(name: string, home?: ServerHome): Promise<Running> {
  const port = await findFreePort(0);
  const own = home ?? (await ServerHome.create());
  const app = await startPeerApp(own, { name, port, adminPassword: 'password' });
  const server = { home: own, app, name };
  running.push(server);
  await moveTo(server, `http://127.0.0.1:${port}`);
  return server;
}

const run = ({ app }: Running, command: object) => app.get(CommandBus).execute(command);
const moveTo = (server: Running, url: string) => run(server, new UpdateServer({ url }));
const identityOf = ({ app }: Running) => app.get(ServerIdentity);
const invite = ({ app }: Running) => app.get(CommandBus).execute(new CreateInvitation());
const urlOnRecord = async (of: Running, at: Running) =>
  (await at.app.get(PeerDirectory).find(identityOf(of).serverId))?.url;

/** Runs the job of a server that announces its address to another one. */
function announce(from: Running, to: Running): Promise<void> {
  const { peerId } = { peerId: identityOf(to).serverId };
  const [directory, identity, transport] = [PeerDirectory, ServerIdentity, PeerTransport].map((port) =>
    from.app.get(port as never),
  );
  const worker = new AnnounceAddressWorker(directory as never, identity as never, transport as never);
  return worker.handle({
    name: worker.name,
    key: peerId,
    data: { peerId },
    attempt: 1,
    signal: new AbortController().signal,
    showProgress: async () => undefined,
  });
}

/** Another address at which a server is reached, through something that passes requests on. */
async function addressInFrontOf(server: Running): Promise<string> {
  const { port } = new URL(identityOf(server).url);
  const front = createServer((call, response) => {
    const { method, url: path, headers } = call;
    const onward = httpRequest({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    call.pipe(onward);
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  fronts.push(front);
  return `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
}
const fronts: ReturnType<typeof createServer>[] = [];

let a: Running;
let b: Running;
beforeEach(async () => {
  [a, b] = [await start('A'), await start('B')];
  await run(a, new AcceptInvitation((await invite(b)).token));
});
afterEach(async () => {
  for (const front of fronts.splice(0)) {
    front.closeAllConnections();
    front.close();
  }
  for (const { app, home } of running.splice(0)) {
    await app.close();
    await home.remove();
  }
});

/** The entries of the trail of A about the address of B. */
async function moves(): Promise<string[]> {
  const entries: string[] = [];
  for await (const record of a.home.store.readStream(`peer-${identityOf(b).serverId}`)) {
    const told = record.type === 'PeerMoved' ? describeEvent(record) : null;
    if (told) entries.push(`${record.metadata.actor.kind} ${record.metadata.actor.name}: ${told.summary}`);
  }
  return entries;
}

describe('a server with a new address', () => {
  it('announces it, and its peer takes it over, which the trail tells', async () => {
    const former = identityOf(b).url;
    const url = await addressInFrontOf(b);
    await moveTo(b, url);
    await announce(b, a);
    expect(await urlOnRecord(b, a)).toBe(url);
    await announce(b, a);
    const summary = `peer B: Took over the new address of B, which answers at ${url} with the same id and key`;
    expect(await moves()).toEqual([summary]);
    await moveTo(b, former);
    await announce(b, a);
    expect(await urlOnRecord(b, a)).toBe(former);
    expect(await moves()).toHaveLength(2);
  });

  it('keeps the former one at a peer that finds nobody there', async () => {
    const former = identityOf(b).url;
    await moveTo(b, `http://127.0.0.1:${await findFreePort(0)}`);
    await expect(announce(b, a)).rejects.toMatchObject({ status: 409, code: 'PEER_ADDRESS_UNCONFIRMED' });
    expect([await urlOnRecord(b, a), await moves()]).toEqual([former, []]);
  });

  it('keeps it when another server answers there, also one that the peer knows', async () => {
    const former = identityOf(b).url;
    const [known, unknown] = [await start('C'), await start('D')];
    await run(a, new AcceptInvitation((await invite(known)).token));
    for (const other of [known, unknown]) {
      await moveTo(b, identityOf(other).url);
      await expect(announce(b, a)).rejects.toMatchObject({ code: 'PEER_ADDRESS_UNCONFIRMED' });
      expect(await urlOnRecord(b, a)).toBe(former);
    }
  });

  it('keeps it when somebody there only passes the question on', async () => {
    const [former, front] = [identityOf(b).url, await addressInFrontOf(b)];
    const { serverId } = identityOf(a);
    const peer = await b.app.get(PeerDirectory).find(serverId);
    await expect(
      b.app.get(PeerTransport).postTo(peer!, '/peer/v1/address', { url: front }, 16 * 1024),
    ).rejects.toMatchObject({ code: 'PEER_ADDRESS_UNCONFIRMED' });
    expect(await urlOnRecord(b, a)).toBe(former);
  });

  it('is not followed by a copy of it, which is named as that', async () => {
    const original = identityOf(b).url;
    const home = await ServerHome.create();
    const keyOf = (at: ServerHome, otherwise = Buffer.alloc(0)) =>
      new ServerSecrets(at.dataSource, at.settings()).findOrStore('server-key', otherwise);
    await keyOf(home, Buffer.from(await keyOf(b.home)));
    const copy = await start('B', home);
    const [{ serverId: peerId, name, url, publicKey }, ours] = [identityOf(a), identityOf(copy)];
    expect(ours.serverId).toBe(identityOf(b).serverId);
    const isShared = { code: 'PEER_ID_SHARED', message: expect.stringContaining('copy of the other') as string };
    await expect(run(copy, new AcceptInvitation((await invite(a)).token))).rejects.toMatchObject(isShared);
    await expect(run(a, new AcceptInvitation((await invite(copy)).token))).rejects.toMatchObject(isShared);
    // A copy of the database knows A as a peer.
    const as = { peerId, name, url, publicKey, invitationId: 'copied', ourPublicKey: ours.publicKey };
    await copy.app.get(PeerChanges).changePeer(peerId, { type: 'register', as });
    await expect(announce(copy, a)).rejects.toMatchObject({ ...isShared, status: 409 });
    expect([await urlOnRecord(b, a), await moves()]).toEqual([original, []]);
    expect(await a.app.get(NotedSharedIds).findProblems()).toMatchObject([
      { kind: 'PEER_ID_SHARED', where: 'B', what: expect.stringContaining(original) as string },
    ]);
    // Both sides of an invitation between the two say what they are.
    for (const [invited, inviting] of [
      [copy, b],
      [b, copy],
    ] as const) {
      const { token } = await invite(inviting);
      await expect(run(invited, new AcceptInvitation(token))).rejects.toMatchObject(isShared);
      await expect(run(inviting, new AcceptInvitation(token))).rejects.toMatchObject({
        code: 'INVALID_INVITATION',
        message: expect.stringMatching(/created by this server.*copy of the other/) as string,
      });
    }
  });
});
