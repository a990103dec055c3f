import { createServer, type AddressInfo } from 'node:net';
import { CommandBus } from '@nestjs/cqrs';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SignIn } from '../../../src/modules/accounts/sign-in/sign-in.command.js';
import { AcceptInvitation } from '../../../src/modules/peers/registration/accept-invitation.command.js';
import { CreateInvitation } from '../../../src/modules/peers/registration/create-invitation.command.js';
import {
  ResumePeer,
  SetPeerRights,
  SuspendPeer,
  UnregisterPeer,
} from '../../../src/modules/peers/registry/change-peer.command.js';
import { ALL_RIGHTS, RightsOfPeers } from '../../../src/modules/peers/contracts/peer-rights.js';
import { PeerDirectory } from '../../../src/ports/peer-directory.port.js';
import { RequestSigner, type UnsignedRequest } from '../../../src/ports/request-signer.port.js';
import { ServerIdentity } from '../../../src/ports/server-identity.port.js';
import { startPeerApp } from '../../support/peer-app.js';
import { eventsOf, ServerHome } from '../../support/trusted-server.js';

interface Running {
  readonly home: ServerHome;
  readonly app: NestExpressApplication;
  readonly url: string;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function start(name: string): Promise<Running> {
  const home = await ServerHome.create();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  return { home, url, app: await startPeerApp(home, { name, url, port, adminPassword: 'password' }) };
}

let a: Running;
let b: Running;
beforeAll(async () => {
  [a, b] = await Promise.all([start('A'), start('B')]);
});
afterAll(async () => {
  await Promise.all([a.app.close(), b.app.close()]);
  await Promise.all([a.home.remove(), b.home.remove()]);
});

const idOf = ({ app }: Running) => app.get(ServerIdentity).serverId;
const invite = ({ app }: Running) => app.get(CommandBus).execute(new CreateInvitation());
const accept = ({ app }: Running, token: string) => app.get(CommandBus).execute(new AcceptInvitation(token));
const contacts = ({ app }: Running) => app.get(PeerDirectory).list();
const refusals = async ({ home }: Running) => (await eventsOf(home.store, 'peer-calls')).map(({ data }) => data);
const lastRefusal = async (server: Running) => (await refusals(server)).at(-1);

async function register(): Promise<void> {
  const known = await Promise.all([a.app.get(PeerDirectory).find(idOf(b)), b.app.get(PeerDirectory).find(idOf(a))]);
  if (known.includes(null)) await accept(a, (await invite(b)).token);
}

/** What B says to a call that A signed. */
async function call(change: Partial<UnsignedRequest> & { headers?: Record<string, string>; sent?: string } = {}) {
  const { headers = {}, sent, ...request } = change;
  const unsigned = { method: 'GET', url: `${b.url}/probe/peer`, to: idOf(b), ...request };
  const signed = a.app.get(RequestSigner).sign(unsigned);
  const body = sent ?? (unsigned.body ? Buffer.from(unsigned.body).toString() : null);
  return send(unsigned.url, { method: unsigned.method, headers: { ...signed, ...headers }, body });
}

async function send(url: string, init: RequestInit) {
  const response = await fetch(url, init);
  const json: unknown = await response.json();
  return { status: response.status, json, challenge: response.headers.get('www-authenticate') };
}

describe('registration', () => {
  it('takes one paste, and both know each other', async () => {
    const { token } = await invite(b);
    const { peerId, receipt } = await accept(a, token);
    expect(peerId).toBe(idOf(b));
    expect(receipt.types).toEqual(['PeerRegistered']);
    expect(await contacts(a)).toMatchObject([{ peerId: idOf(b), name: 'B', url: b.url, suspended: false }]);
    expect(await contacts(b)).toMatchObject([{ peerId: idOf(a), name: 'A', url: a.url, suspended: false }]);
    expect((await accept(a, token)).receipt.types).toEqual([]);
  });

  it('lets the inviting side call before the accepting side has recorded it', async () => {
    await a.app.get(CommandBus).execute(new UnregisterPeer(idOf(b)));
    const known = (await refusals(a)).length;
    const url = `${a.url}/probe/peer`;
    const called = new Promise<unknown>((resolve) => {
      const stop = b.app.get(PeerDirectory).onChange(() => {
        stop();
        resolve(send(url, { headers: b.app.get(RequestSigner).sign({ method: 'GET', url, to: idOf(a) }) }));
      });
    });
    await accept(a, (await invite(b)).token);
    expect(await called).toMatchObject({ status: 200, json: { actor: { kind: 'peer', id: idOf(b), name: 'B' } } });
    expect(await refusals(a)).toHaveLength(known);
  });

  it('is finished by accepting again when the first try was cut off half way', async () => {
    await a.app
      .get(CommandBus)
      .execute(new UnregisterPeer(idOf(b)))
      .catch(() => undefined);
    const { token } = await invite(b);
    const decoded: Record<string, string> = JSON.parse(Buffer.from(token, 'base64url').toString());
    const { serverId, name, url, publicKey } = a.app.get(ServerIdentity);
    const { invitationId, secret } = decoded;
    const body = Buffer.from(JSON.stringify({ invitationId, secret, serverId, name, url, publicKey }));
    const registered = await call({ method: 'POST', url: `${b.url}/peer/v1/registrations`, body });
    expect(registered).toMatchObject({ status: 200, json: { serverId: idOf(b), name: 'B' } });
    expect(await contacts(a)).toEqual([]);
    await accept(a, token);
    expect(await contacts(a)).toHaveLength(1);
  });

  it('is refused with a wrong secret, and that is on record', async () => {
    const { token } = await invite(b);
    const decoded: object = JSON.parse(Buffer.from(token, 'base64url').toString());
    const forged = Buffer.from(JSON.stringify({ ...decoded, secret: 'A'.repeat(43) })).toString('base64url');
    await expect(accept(a, forged)).rejects.toMatchObject({ code: 'INVALID_INVITATION' });
    expect(await lastRefusal(b)).toMatchObject({ code: 'INVALID_INVITATION', keyId: idOf(a), method: 'POST' });
  });

  it('is refused by the server that made the invitation, and where nobody answers', async () => {
    const { token } = await invite(b);
    await expect(accept(b, token)).rejects.toMatchObject({ code: 'INVALID_INVITATION' });
    const decoded: object = JSON.parse(Buffer.from(token, 'base64url').toString());
    const elsewhere = { ...decoded, url: `http://127.0.0.1:${await freePort()}` };
    const lost = Buffer.from(JSON.stringify(elsewhere)).toString('base64url');
    await expect(accept(a, lost)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
    const old = Buffer.from(JSON.stringify({ ...decoded, expiresAt: '2020-01-01T00:00:00Z' })).toString('base64url');
    await expect(accept(a, old)).rejects.toMatchObject({ code: 'INVITATION_EXPIRED' });
  });

  it('needs the key that is named in the body', async () => {
    const body = Buffer.from(JSON.stringify({ serverId: idOf(a), publicKey: b.app.get(ServerIdentity).publicKey }));
    const answer = await call({ method: 'POST', url: `${b.url}/peer/v1/registrations`, body });
    expect(answer).toMatchObject({ status: 401, json: { code: 'PEER_SIGNATURE_INVALID' } });
  });
});

describe('the rights of a peer', () => {
  const LIMITED = { publishUpTo: 'Dev', filenames: ['dev-*'], mayTakeOver: false, mayChangeOthers: false } as const;
  const rightsOn = (server: Running, of: Running) => server.app.get(RightsOfPeers).rightsOf(idOf(of));

  it('come with the invitation on one side, and with its acceptance on the other', async () => {
    await a.app.get(CommandBus).execute(new UnregisterPeer(idOf(b)));
    await b.app.get(CommandBus).execute(new UnregisterPeer(idOf(a)));
    expect([rightsOn(a, b), rightsOn(b, a)]).toEqual([null, null]);
    const { token } = await b.app.get(CommandBus).execute(new CreateInvitation(null, LIMITED));
    await a.app.get(CommandBus).execute(new AcceptInvitation(token, false, { publishUpTo: 'Test' }));
    expect(rightsOn(b, a)).toEqual(LIMITED);
    expect(rightsOn(a, b)).toEqual({ ...ALL_RIGHTS, publishUpTo: 'Test' });
  });

  it('stay when the server registers again, and change with a new invitation that names others', async () => {
    await a.app.get(CommandBus).execute(new UnregisterPeer(idOf(b)));
    await b.app.get(CommandBus).execute(new UnregisterPeer(idOf(a)));
    await accept(a, (await invite(b)).token);
    expect(rightsOn(b, a)).toEqual(LIMITED);
    const { token } = await b.app.get(CommandBus).execute(new CreateInvitation(idOf(a), { filenames: [] }));
    await accept(a, token);
    expect(rightsOn(b, a)).toEqual({ ...LIMITED, filenames: [] });
    await b.app.get(CommandBus).execute(new SetPeerRights(idOf(a), ALL_RIGHTS));
    expect(rightsOn(b, a)).toEqual(ALL_RIGHTS);
  });

  it('are refused before anybody is registered when they cannot be given', async () => {
    const invalid = new CreateInvitation(null, { filenames: ['a/b'] });
    await expect(b.app.get(CommandBus).execute(invalid)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await b.app.get(CommandBus).execute(new UnregisterPeer(idOf(a)));
    const acceptance = new AcceptInvitation((await invite(b)).token, false, { filenames: ['a/b'] });
    await expect(a.app.get(CommandBus).execute(acceptance)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    expect(rightsOn(b, a)).toBeNull();
  });
});

describe('a call of a peer', () => {
  beforeEach(register);

  it('is let in as that peer', async () => {
    expect(await call()).toMatchObject({
      status: 200,
      json: { actor: { kind: 'peer', id: idOf(a), name: 'A' }, address: '127.0.0.1' },
    });
    expect(await call({ url: `${b.url}/probe/peer?x=1&y=%20` })).toMatchObject({ status: 200 });
  });

  it('brings its body', async () => {
    const answer = await call({ method: 'POST', body: Buffer.from('{"a":1}') });
    expect(answer).toMatchObject({ status: 201, json: { body: { a: 1 } } });
  });

  it.each([
    ['PEER_BODY_TAMPERED', { method: 'POST', body: Buffer.from('{"a":1}'), sent: '{"a":2}' }],
    ['PEER_BODY_TAMPERED', { method: 'POST', sent: '{"a":2}' }],
    ['PEER_SIGNATURE_INVALID', { headers: { 'content-digest': 'sha-256=:AAAA:' } }],
    ['PEER_SIGNATURE_INVALID', { to: 'somebody-else' }],
    ['PEER_SIGNATURE_INVALID', { to: null }],
    ['PEER_SIGNATURE_INVALID', { headers: { signature: 'sig1=:AAAA:' } }],
  ])('is refused when it is not what was signed: %s %j', async (code, change) => {
    expect(await call(change)).toMatchObject({ status: 401, json: { code } });
    expect(await lastRefusal(b)).toMatchObject({ code, path: '/probe/peer', keyId: idOf(a), unrecorded: 0 });
  });

  it('is refused without a signature', async () => {
    expect(await send(`${b.url}/probe/peer`, {})).toMatchObject({
      status: 401,
      json: { code: 'PEER_SIGNATURE_MISSING' },
    });
    expect(await lastRefusal(b)).toMatchObject({ code: 'PEER_SIGNATURE_MISSING', keyId: null });
  });

  it('counts once', async () => {
    const headers = a.app.get(RequestSigner).sign({ method: 'GET', url: `${b.url}/probe/peer`, to: idOf(b) });
    const again = () => send(`${b.url}/probe/peer`, { headers });
    expect(await again()).toMatchObject({ status: 200 });
    expect(await again()).toMatchObject({ status: 401, json: { code: 'PEER_CALL_REPLAYED' } });
  });

  it('may not be too large', async () => {
    expect(await call({ method: 'POST', body: Buffer.alloc(65 * 1024, 'x') })).toMatchObject({ status: 413 });
  });

  it('is refused while the peer is suspended', async () => {
    const commands = b.app.get(CommandBus);
    await commands.execute(new SuspendPeer(idOf(a)));
    expect(await call()).toMatchObject({ status: 403, json: { code: 'PEER_SUSPENDED' } });
    await commands.execute(new ResumePeer(idOf(a)));
    expect(await call()).toMatchObject({ status: 200 });
  });

  it('is refused after the peer was unregistered, and says so to that peer only', async () => {
    await b.app.get(CommandBus).execute(new UnregisterPeer(idOf(a)));
    expect(await call()).toMatchObject({ status: 403, json: { code: 'PEER_UNREGISTERED' } });
    await accept(a, (await invite(b)).token);
    expect(await call()).toMatchObject({ status: 200 });
  });
});

describe('everybody else', () => {
  it('needs a session, except where a route is public', async () => {
    const probe = (path: string, headers = {}) => send(`${a.url}/probe/${path}`, { headers });
    expect(await probe('public')).toMatchObject({
      status: 200,
      json: { actor: { kind: 'stranger' }, address: '127.0.0.1' },
    });
    const refused = { status: 401, json: { code: 'UNAUTHENTICATED' }, challenge: 'Bearer' };
    expect(await probe('session')).toMatchObject(refused);
    expect(await probe('session', { authorization: 'Bearer nonsense' })).toMatchObject(refused);
    expect(await probe('session', { authorization: 'Basic YTpi' })).toMatchObject(refused);
    const { token } = await a.app.get(CommandBus).execute(new SignIn('admin', 'password'));
    const authorization = `Bearer ${token}`;
    expect(await probe('session', { authorization })).toMatchObject({
      status: 200,
      json: { actor: { kind: 'account', name: 'admin' } },
    });
    expect(await probe('peer', { authorization })).toMatchObject({
      status: 401,
      json: { code: 'PEER_SIGNATURE_MISSING' },
    });
  });
});
