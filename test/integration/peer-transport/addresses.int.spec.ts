import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { strictAddressRules } from '../../../src/adapters/peer-transport/http/peer-addresses.js';
import { WebSocketTunnels } from '../../../src/adapters/peer-transport/http/web-socket-tunnels.js';
import { request, stageEachTest } from '../../support/chunk-scene.js';
import { peer, transport } from '../../support/scripted-peer.js';

stageEachTest();

/** Counts connections to a loopback address. Nobody may ever arrive there. */
let server: Server;
let arrivals = 0;
let port = 0;

beforeAll(async () => {
  server = createServer((socket) => {
    arrivals += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
beforeEach(() => void (arrivals = 0));
afterEach(() => expect(arrivals).toBe(0));
afterAll(async () => {
  server.close();
  await once(server, 'close');
});

const strict = { addresses: strictAddressRules };
const signer = { sign: () => ({ signature: 's' }) };

/** Each way in which this server connects to another one, and the error with which it fails. */
const WAYS: Readonly<Record<string, (url: string) => Promise<unknown>>> = {
  'a JSON call': (url) => failureOf(transport(strict).get(peer(url), '/peer/v1/inventory', 1024)),
  'a registration': (url) => failureOf(transport(strict).post({ name: 'Server A', url }, '/x', {}, 1024)),
  'a feed': (url) => {
    const feed = transport(strict).followFeed(peer(url), null, new AbortController().signal);
    return failureOf(feed[Symbol.asyncIterator]().next());
  },
  'a tunnel': (url) => failureOf(new WebSocketTunnels(signer, strict).open(peer(url), new AbortController().signal)),
  'package bytes': async (url) =>
    (await transport(strict).fetchChunks(peer(url), request({ first: 0, count: 1 }))).error ?? 'no error',
};

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no error',
    (error: unknown) => error,
  );

describe.each(Object.entries(WAYS))('%s', (_, callAt) => {
  it.each([
    ['an address', (at: number) => `http://127.0.0.1:${at}`],
    ['an IPv6 address', (at: number) => `http://[::ffff:127.0.0.1]:${at}`],
    ['another spelling of an address', (at: number) => `http://0x7f.1:${at}`],
    ['a name', (at: number) => `http://localhost:${at}`],
    ['a name with HTTPS', (at: number) => `https://localhost:${at}`],
    ['an address with HTTPS', (at: number) => `https://127.0.0.1:${at}`],
  ])('does not connect to %s of this machine', async (_kind, urlAt) => {
    expect(await callAt(urlAt(port))).toMatchObject({
      name: 'PeerUnreachable',
      status: null,
      code: 'PEER_ADDRESS_REFUSED',
      message: expect.stringMatching(/^Server A: \S+ is a loopback address.*ODST_ALLOWED_PEER_ADDRESSES/) as string,
    });
  });

  it('does not connect to the address at which clouds give out secrets', async () => {
    expect(await callAt('http://169.254.169.254')).toMatchObject({
      code: 'PEER_ADDRESS_REFUSED',
      message: expect.stringContaining('169.254.169.254') as string,
    });
  });
});
