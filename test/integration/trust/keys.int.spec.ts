import { CommandBus } from '@nestjs/cqrs';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findFreePort } from '../../../src/cli/demo/server-process.js';
import { AcceptInvitation } from '../../../src/modules/peers/registration/accept-invitation.command.js';
import { CreateInvitation } from '../../../src/modules/peers/registration/create-invitation.command.js';
import { AnnounceKey } from '../../../src/modules/peers/keys/announce-key.command.js';
import { RecordPeerKey } from '../../../src/modules/peers/keys/record-peer-key.command.js';
import { UnregisterPeer } from '../../../src/modules/peers/registry/change-peer.command.js';
import { RotateKey } from '../../../src/modules/server/server-keys.command.js';
import { KnownKeys } from '../../../src/platform/peer-calls/known-keys.port.js';
import { keyPossessionText } from '../../../src/platform/peer-calls/signature-format.js';
import { PeerDirectory } from '../../../src/ports/peer-directory.port.js';
import { RequestSigner } from '../../../src/ports/request-signer.port.js';
import { ServerIdentity } from '../../../src/ports/server-identity.port.js';
import { startPeerApp } from '../../support/peer-app.js';
import { ServerHome } from '../../support/trusted-server.js';
import { waitFor } from '../../support/wait-for.js';

interface Running {
  readonly name: string;
  readonly home: ServerHome;
  readonly port: number;
  readonly url: string;
  app: NestExpressApplication;
}

const launch = ({ home, name, port, url }: Omit<Running, 'app'>) =>
  startPeerApp(home, { name, url, port, adminPassword: 'password' });

async function start(name: string): Promise<Running> {
  const port = await findFreePort(0);
  const server = { name, home: await ServerHome.create(), port, url: `http://127.0.0.1:${port}` };
  return { ...server, app: await launch(server) };
}

async function restart(server: Running): Promise<void> {
  await server.app.close();
  server.app = await launch(server);
}

let a: Running;
let b: Running;
beforeEach(async () => {
  a = await start('A');
  b = await start('B');
  await run(a, new AcceptInvitation((await invite(b)).token));
});
afterEach(async () => {
  for (const { app, home } of [a, b]) {
    await app.close();
    await home.remove();
  }
});

const run = ({ app }: Running, command: object) => app.get(CommandBus).execute(command);
const invite = ({ app }: Running) => app.get(CommandBus).execute(new CreateInvitation());
const identityOf = ({ app }: Running) => app.get(ServerIdentity);
const keyOnRecord = async (of: Running, at: Running) =>
  (await at.app.get(PeerDirectory).find(identityOf(of).serverId))?.publicKey;
const announce = () => run(a, new AnnounceKey(identityOf(b).serverId));
const storedKeys = async ({ home }: Running) =>
  (await home.dataSource.query('SELECT name FROM state.server_secrets ORDER BY name')).length;

/** What B answers to a call of A. */
async function call(key?: string) {
  const url = `${b.url}/probe/peer`;
  const headers = a.app
    .get(RequestSigner)
    .sign({ method: 'GET', url, to: identityOf(b).serverId, ...(key !== undefined && { key }) });
  const response = await fetch(url, { headers });
  const { code, message } = (await response.json()) as { code?: string; message?: string };
  return { status: response.status, code, message };
}

describe('a new key', () => {
  it('is used towards a peer from the moment that it has recorded it, and the old one is deleted', async () => {
    const before = identityOf(a).publicKey;
    await run(a, new RotateKey());
    const { publicKey } = identityOf(a);
    expect(publicKey).not.toBe(before);
    expect((await call()).status).toBe(200);
    expect(await keyOnRecord(a, b)).toBe(before);
    expect(await storedKeys(a)).toBe(2);

    await announce();
    expect(await keyOnRecord(a, b)).toBe(publicKey);
    expect(a.app.get(KnownKeys).keyKnownTo(identityOf(b).serverId)).toBe(publicKey);
    expect((await call()).status).toBe(200);
    expect(await storedKeys(a)).toBe(1);

    await restart(a);
    expect(identityOf(a).publicKey).toBe(publicKey);
    expect((await call()).status).toBe(200);
  });

  it('may have been signed with the former one for a minute', async () => {
    const { publicKey: before } = identityOf(a);
    const url = `${b.url}/probe/peer`;
    const underWay = a.app.get(RequestSigner).sign({ method: 'GET', url, to: identityOf(b).serverId });
    await run(a, new RotateKey());
    await announce();
    expect((await fetch(url, { headers: underWay })).status).toBe(200);
    expect(b.app.get(PeerDirectory).formerKeyOf(identityOf(a).serverId)).toBe(before);
  });

  it('follows another one that a peer, who was away, never heard of', async () => {
    await b.app.close();
    for (const _ of [1, 2, 3]) await run(a, new RotateKey());
    await expect(announce()).rejects.toThrow(/refused|reset|closed/);
    await restart(a);
    b.app = await launch(b);
    expect((await call()).status).toBe(200);
    await announce();
    expect(await keyOnRecord(a, b)).toBe(identityOf(a).publicKey);
    expect((await call()).status).toBe(200);
    expect(await storedKeys(a)).toBe(1);
  });

  it('is told again when only the peer has it on record, also after one more', async () => {
    for (const _ of [1, 2]) {
      await run(a, new RotateKey());
      const { serverId, publicKey, rotation } = identityOf(a);
      const proof = identityOf(a).sign(
        keyPossessionText(serverId, identityOf(b).serverId, publicKey, rotation),
        publicKey,
      );
      await run(b, new RecordPeerKey(serverId, { publicKey, rotation, proof }));
    }
    await b.home.dataSource.query(
      `UPDATE log.events SET recorded_at = recorded_at - interval '2 min' WHERE type = 'PeerKeyRotated'`,
    );
    await Promise.all([restart(a), restart(b)]);
    expect(await call()).toMatchObject({ status: 401, code: 'PEER_SIGNATURE_INVALID' });
    await run(a, new RotateKey());
    await announce();
    expect(await keyOnRecord(a, b)).toBe(identityOf(a).publicKey);
    expect((await call()).status).toBe(200);
  });

  it('is not taken from who does not hold it, nor when a later one is known', async () => {
    const url = `${b.url}/peer/v1/key`;
    const send = async (body: object) => {
      const bytes = Buffer.from(JSON.stringify(body));
      const headers = a.app.get(RequestSigner).sign({ method: 'POST', url, body: bytes, to: identityOf(b).serverId });
      return (
        await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: bytes })
      ).status;
    };
    const before = await keyOnRecord(a, b);
    expect(await send({ publicKey: identityOf(b).publicKey, rotation: 1, proof: 'AAAA' })).toBe(400);
    expect(await send({ publicKey: 'short', rotation: 1, proof: 'AAAA' })).toBe(400);
    expect(await send({})).toBe(400);
    expect(await keyOnRecord(a, b)).toBe(before);
  });

  it('makes earlier invitations void, with a clear answer', async () => {
    await run(b, new UnregisterPeer(identityOf(a).serverId));
    await run(a, new UnregisterPeer(identityOf(b).serverId));
    const { token } = await invite(b);
    await run(b, new RotateKey());
    await expect(run(a, new AcceptInvitation(token))).rejects.toThrow(/Ask for a new one/);
    expect(await b.app.get(PeerDirectory).list()).toEqual([]);
    await run(a, new AcceptInvitation((await invite(b)).token));
    expect(await keyOnRecord(b, a)).toBe(identityOf(b).publicKey);
  });
});

describe('a server that was unregistered on the other side', () => {
  it('hears so, in words that tell what to do; strangers do not', async () => {
    await run(b, new UnregisterPeer(identityOf(a).serverId));
    expect(await call()).toEqual({
      status: 403,
      code: 'PEER_UNREGISTERED',
      message: 'B has unregistered this server. Unregister it here too, or register again with an invitation.',
    });
    await run(a, new RotateKey());
    expect(await call(identityOf(a).publicKey)).toMatchObject({ status: 401, code: 'PEER_KEY_UNKNOWN' });
  });

  it('can register anew', async () => {
    await run(b, new UnregisterPeer(identityOf(a).serverId));
    await run(a, new AcceptInvitation((await invite(b)).token));
    await waitFor('the call to pass', async () => (await call()).status === 200);
  });
});
