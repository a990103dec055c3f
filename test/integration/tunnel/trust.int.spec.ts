import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { CommandBus } from '@nestjs/cqrs';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findFreePort } from '../../../src/cli/demo/server-process.js';
import { AcceptInvitation } from '../../../src/modules/peers/registration/accept-invitation.command.js';
import { CreateInvitation } from '../../../src/modules/peers/registration/create-invitation.command.js';
import { ResumePeer, SuspendPeer } from '../../../src/modules/peers/registry/change-peer.command.js';
import { TunnelHub } from '../../../src/modules/peers/tunnels/tunnel-hub.js';
import { TunnelOpener } from '../../../src/modules/peers/tunnels/tunnel-opener.js';
import { UpdateServer } from '../../../src/modules/server/update-server.command.js';
import { PeerDirectory } from '../../../src/ports/peer-directory.port.js';
import { PeerTransport } from '../../../src/ports/peer-transport.port.js';
import { PeerTunnels } from '../../../src/ports/tunnel-transport.port.js';
import { RequestSigner } from '../../../src/ports/request-signer.port.js';
import { ServerIdentity } from '../../../src/ports/server-identity.port.js';
import { runTask } from '../../support/background-task.js';
import { startPeerApp } from '../../support/peer-app.js';
import { eventsOf, ServerHome } from '../../support/trusted-server.js';
import { waitFor } from '../../support/wait-for.js';

interface Running {
  readonly home: ServerHome;
  readonly app: NestExpressApplication;
  readonly url: string;
}

/** Under `/ods`, as behind a proxy that takes the path away; nobody listens there. */
const HIDDEN_URL = 'http://127.0.0.1:1/ods';

async function start(name: string, change: { url?: string; role?: 'api' } = {}): Promise<Running> {
  const home = await ServerHome.create();
  const port = await findFreePort(0);
  const url = `http://127.0.0.1:${port}`;
  return { home, url, app: await startPeerApp(home, { name, url, port, adminPassword: 'password', ...change }) };
}

let hidden: Running;
let hub: Running;
let opening: ReturnType<typeof runTask>;
const idOf = ({ app }: Pick<Running, 'app'>) => app.get(ServerIdentity).serverId;
const run = ({ app }: Running, command: object): Promise<unknown> => app.get(CommandBus).execute(command);
const routeKindTo = (app: NestExpressApplication, id: string) => app.get(PeerTunnels).routeKindTo(id);

/** What the hidden server says to a call of the hub, or of another process of it. */
async function call(path: string, app = hub.app): Promise<unknown> {
  const contact = await app.get(PeerDirectory).find(idOf(hidden));
  if (!contact) throw new Error('not registered');
  return app.get(PeerTransport).get(contact, path, 1024);
}

async function openTunnels(): Promise<ReturnType<typeof runTask>> {
  const opener = hidden.app.get(TunnelOpener);
  await opener.start();
  return runTask(opener);
}

beforeAll(async () => {
  [hidden, hub] = await Promise.all([start('Hidden', { url: HIDDEN_URL }), start('Hub', { role: 'api' })]);
  const invited = await hub.app.get(CommandBus).execute(new CreateInvitation());
  await run(hidden, new AcceptInvitation(invited.token));
  opening = await openTunnels();
});
beforeEach(async () => {
  await run(hidden, new UpdateServer({ reachable: false }));
  await waitFor('tunnels', () => routeKindTo(hub.app, idOf(hidden)) === 'tunnel');
});
afterAll(async () => {
  await opening.stop();
  await Promise.all([hidden.app.close(), hub.app.close()]);
  await Promise.all([hidden.home.remove(), hub.home.remove()]);
});

describe('calls through a tunnel', () => {
  it('are those of the one who signed them, at the address of the one who is called', async () => {
    const answer = await call('/peer/v1/probe?x=1');
    expect(answer).toMatchObject({ actor: { kind: 'peer', id: idOf(hub), name: 'Hub' }, address: '127.0.0.1' });
  });

  it('are refused like any other when they are not signed for that server', async () => {
    const route = await hub.app.get(PeerTunnels).routeTo(idOf(hidden));
    const at = route.kind === 'tunnel' ? `http://${route.host}:${route.port}` : '';
    expect((await fetch(`${at}/ods/peer/v1/probe`)).status).toBe(401);
    const headers = hub.app.get(RequestSigner).sign({ method: 'GET', url: `${at}/peer/v1/probe`, to: 'somebody else' });
    expect((await fetch(`${at}/peer/v1/probe`, { headers })).status).toBe(401);
  });

  it.each([
    '/probe/public',
    '/graphql',
    '/Packages/x.pkg',
    '/ods/probe/public',
    '/peer/v1',
    '//peer/v1/probe',
    '/health/live',
  ])('reach nothing but what is for peers: %s', async (path) => {
    const route = await hub.app.get(PeerTunnels).routeTo(idOf(hidden));
    const answer = await fetch(route.kind === 'tunnel' ? `http://${route.host}:${route.port}${path}` : '');
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('Only calls between servers are answered through a tunnel.');
  });

  it('cannot turn the tunnel into something else', async () => {
    const route = await hub.app.get(PeerTunnels).routeTo(idOf(hidden));
    const socket = connect(route.kind === 'tunnel' ? route.port : 0, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET /peer/v1/tunnel HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 404/);
    socket.destroy();
  });
});

describe('a tunnel', () => {
  /** What the hub says to somebody who wants to open one. */
  async function ask(path: string, headers: Record<string, string>): Promise<string> {
    const socket = connect(Number(new URL(hub.url).port), '127.0.0.1');
    const lines = Object.entries({
      host: new URL(hub.url).host,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    });
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
    const [head] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return head.toString();
  }
  const signed = (by: Running) =>
    by.app.get(RequestSigner).sign({ method: 'GET', url: `${hub.url}/peer/v1/tunnel`, to: idOf(hub) });

  it('is for peers only, once for each signature, and what is refused is on record', async () => {
    expect(await ask('/peer/v1/tunnel', {})).toMatch(/^HTTP\/1.1 401 [^]*PEER_SIGNATURE_MISSING/);
    expect(await ask('/peer/v1/tunnel', signed(hub))).toMatch(/^HTTP\/1.1 401 [^]*PEER_KEY_UNKNOWN/);
    const headers = signed(hidden);
    expect(await ask('/peer/v1/tunnel', headers)).toMatch(/^HTTP\/1.1 101 /);
    expect(await ask('/peer/v1/tunnel', headers)).toMatch(/^HTTP\/1.1 401 [^]*PEER_CALL_REPLAYED/);
    expect(await ask('/elsewhere', {})).toMatch(/^HTTP\/1.1 404 [^]*NOT_FOUND/);
    const last = (await eventsOf(hub.home.store, 'peer-calls')).at(-1);
    expect(last?.data).toMatchObject({ code: 'PEER_CALL_REPLAYED', path: '/peer/v1/tunnel', keyId: idOf(hidden) });
  });

  it('ends when its server is suspended, and comes back when it is resumed', async () => {
    await run(hub, new SuspendPeer(idOf(hidden)));
    await waitFor('the end', () => hub.app.get(TunnelHub).countOpen(idOf(hidden)) === 0);
    expect(await ask('/peer/v1/tunnel', signed(hidden))).toMatch(/^HTTP\/1.1 403 [^]*PEER_SUSPENDED/);
    await run(hub, new ResumePeer(idOf(hidden)));
    await waitFor('the return', () => routeKindTo(hub.app, idOf(hidden)) === 'tunnel');
  });

  it('is not needed once its server can be called', async () => {
    await run(hidden, new UpdateServer({ reachable: true }));
    await waitFor('the route to its address', () => routeKindTo(hub.app, idOf(hidden)) === 'direct');
    await expect(call('/peer/v1/probe')).rejects.toThrow(/connection refused/);
  });
});

describe('another process of the same server', () => {
  let worker: NestExpressApplication;
  beforeEach(async () => {
    worker = await startPeerApp(hub.home, { name: 'Hub', url: hub.url, port: await findFreePort(0), role: 'worker' });
  });
  afterEach(() => worker.close());

  it('calls through the tunnels that end in the first one', async () => {
    await waitFor('the news', () => routeKindTo(worker, idOf(hidden)) === 'tunnel');
    const answers = await Promise.all(Array.from({ length: 10 }, () => call('/peer/v1/probe', worker)));
    expect(answers).toEqual(
      Array.from({ length: 10 }, () => expect.objectContaining({ actor: expect.objectContaining({ id: idOf(hub) }) })),
    );
  });

  it('hears at once when the first tunnel comes, and waits while there is none', async () => {
    const arrived: string[] = [];
    await waitFor('the news', () => routeKindTo(worker, idOf(hidden)) === 'tunnel');
    await opening.stop();
    await waitFor('the end', () => routeKindTo(worker, idOf(hidden)) === 'none');
    await expect(call('/peer/v1/probe', worker)).rejects.toThrow(
      'Hidden: it is not reachable and has no tunnel open to this server',
    );
    worker.get(PeerTunnels).onArrival((id) => arrived.push(id));
    opening = await openTunnels();
    await waitFor('the arrival', () => arrived.includes(idOf(hidden)));
    expect(await call('/peer/v1/probe', worker)).toMatchObject({ actor: { id: idOf(hub) } });
  });

  it('gets none without the signature of its own server', async () => {
    const [row] = await hub.home.dataSource.query('SELECT process_id FROM state.peer_tunnels WHERE open > 0');
    const url = `${hub.url}/cluster/v1/tunnels/${row.process_id}/${idOf(hidden)}`;
    const ask = async (by: Running) => {
      const socket = connect(Number(new URL(hub.url).port), '127.0.0.1');
      const headers = by.app.get(RequestSigner).sign({ method: 'GET', url, to: idOf(hub) });
      const lines = Object.entries({
        host: new URL(url).host,
        connection: 'Upgrade',
        upgrade: 'odst-tunnel',
        ...headers,
      });
      socket.write(
        `GET ${new URL(url).pathname} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
      );
      return text(socket);
    };
    expect(await ask(hidden)).toMatch(/^HTTP\/1.1 401 [^]*PEER_KEY_UNKNOWN/);
  });
});
