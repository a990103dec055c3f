import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type AddressRules, strictAddressRules } from '../../../src/adapters/peer-transport/http/peer-addresses.js';
import type { ProxySettings } from '../../../src/adapters/peer-transport/http/proxies.js';
import { WebSocketTunnels } from '../../../src/adapters/peer-transport/http/web-socket-tunnels.js';
import { bytes, request, SIZE, stageEachTest, written } from '../../support/chunk-scene.js';
import { LOOPBACK_PEERS } from '../../support/loopback-peers.js';
import { OutgoingProxy } from '../../support/outgoing-proxy.js';
import { peer, pem, rangeOf, transport } from '../../support/scripted-peer.js';

stageEachTest();

const signer = { sign: () => ({ signature: 's' }) };
/** Only the proxy finds it. */
const UNKNOWN_NAME = 'peer.invalid';

const proxies: OutgoingProxy[] = [];
const servers: Server[] = [];
let cert = '';
let proxy: OutgoingProxy;
/** The address of the server: with a name that only the proxy knows, and one for which its certificate is. */
const urls = { http: '', https: '' };
/** The Host headers of the requests that arrived, and the number of tunnels. */
let hosts: (string | undefined)[] = [];
let tunnels = 0;

const answer: RequestListener = (call, response) => {
  hosts.push(call.headers.host);
  const { url = '' } = call;
  if (url.endsWith('/content')) {
    const [first, last] = rangeOf(`range: ${call.headers.range}`);
    const headers = { 'content-range': `bytes ${first}-${last}/${SIZE}`, 'content-length': last - first + 1 };
    return void response.writeHead(206, headers).end(bytes.subarray(first, last + 1));
  }
  if (url === '/peer/v1/feed') {
    return void response.writeHead(200, { 'content-type': 'text/event-stream' }).write('id: 1\ndata: {"a":1}\n\n');
  }
  if (url === '/refused') {
    return void response.writeHead(409, { 'content-type': 'application/json' }).end('{"code":"PEER_SUSPENDED"}');
  }
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ url }));
};

async function startServer(server: Server): Promise<number> {
  const accepting = new WebSocketTunnels(signer);
  server.on('upgrade', (call, socket, head) => {
    hosts.push(call.headers.host);
    accepting.accept(call, socket, head, (tunnel) => {
      tunnels += 1;
      tunnel.stream.end('through');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return (server.address() as AddressInfo).port;
}

async function startProxy(options: ConstructorParameters<typeof OutgoingProxy>[0] = {}): Promise<OutgoingProxy> {
  const started = await new OutgoingProxy(options).start();
  proxies.push(started);
  return started;
}

beforeAll(async () => {
  cert = await pem('crt');
  urls.http = `http://${UNKNOWN_NAME}:${await startServer(createServer(answer))}`;
  urls.https = `https://127.0.0.1:${await startServer(createHttpsServer({ cert, key: await pem('key') }, answer))}`;
});
beforeEach(async () => {
  [hosts, tunnels] = [[], 0];
  proxy = await startProxy();
});
afterEach(() => Promise.all(proxies.splice(0).map((one) => one.stop())));
afterAll(() => {
  for (const server of servers) server.closeAllConnections();
  return Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
});

/** The proxies, and which addresses are called; by default those of this machine, too. */
type Settings = ProxySettings & { readonly addresses?: () => AddressRules };

const through = (address: string, exceptions: readonly string[] = []): ProxySettings => ({
  https: address,
  http: address,
  exceptions,
});
const trustIn = ({ addresses = LOOPBACK_PEERS.addresses, ...proxies }: Settings) => ({ ca: cert, addresses, proxies });
const atProxy = (): ProxySettings => through(`http://127.0.0.1:${proxy.port}`);

/** Each way in which this server calls another one, and what it gets there. */
const WAYS: Readonly<Record<string, (url: string, settings: Settings) => Promise<unknown>>> = {
  'a JSON call': (url, settings) => transport(trustIn(settings)).get(peer(url), '/peer/v1/inventory?a=1', 1024),
  'a registration': (url, settings) => transport(trustIn(settings)).post({ name: 'Server A', url }, '/x', {}, 1024),
  'a feed': async (url, settings) => {
    const end = new AbortController();
    const received = [];
    for await (const message of transport(trustIn(settings)).followFeed(peer(url), null, end.signal)) {
      received.push(message);
      if (received.length === 2) end.abort();
    }
    return received;
  },
  'a tunnel': async (url, settings) => {
    const opening = new WebSocketTunnels(signer, trustIn(settings));
    const { stream } = await opening.open(peer(url), new AbortController().signal);
    let text = '';
    for await (const piece of stream) text += String(piece);
    return text;
  },
  'package bytes': async (url, settings) => {
    const client = transport(trustIn(settings));
    // The second range uses the connection of the first one.
    for (const range of [
      { first: 0, count: 2 },
      { first: 2, count: 2 },
    ]) {
      const { verified, error } = await client.fetchChunks(peer(url), request(range));
      if (error) throw error;
      expect(verified).toEqual([range]);
    }
    return (await written()).equals(bytes);
  },
};

const RESULTS: Readonly<Record<string, unknown>> = {
  'a JSON call': { url: '/peer/v1/inventory?a=1' },
  'a registration': { url: '/x' },
  'a feed': [{ kind: 'connected' }, { kind: 'item', id: '1', data: { a: 1 } }],
  'a tunnel': 'through',
  'package bytes': true,
};

describe.each(Object.entries(WAYS))('%s', (way, callAt) => {
  it.each(['http', 'https'] as const)('to an %s address goes through the proxy', async (scheme) => {
    const url = urls[scheme];
    expect(await callAt(url, atProxy())).toEqual(RESULTS[way]);
    const { host } = new URL(url);
    const isForwarded = scheme === 'http' && way !== 'a tunnel';
    const line = isForwarded ? new RegExp(`^(?:GET|POST) ${url}/`) : new RegExp(`^CONNECT ${host}$`);
    expect(proxy.requests.length).toBeGreaterThan(0);
    expect(proxy.requests.filter((request) => !line.test(request))).toEqual([]);
    expect(new Set(hosts)).toEqual(new Set([host]));
    expect(tunnels).toBe(way === 'a tunnel' ? 1 : 0);
  });

  it('gives the proxy its user and password', async () => {
    const strict = await startProxy({ credentials: 'sam:p@ss: word' });
    const settings = through(`http://sam:p%40ss%3A%20word@127.0.0.1:${strict.port}`);
    for (const url of Object.values(urls)) expect(await callAt(url, settings)).toEqual(RESULTS[way]);
    const wrong = through(`http://sam:wrong@127.0.0.1:${strict.port}`);
    for (const url of Object.values(urls)) {
      await expect(callAt(url, wrong)).rejects.toMatchObject({
        name: 'PeerUnreachable',
        message: `Server A: the proxy 127.0.0.1:${strict.port} wants another user and password (407)`,
      });
    }
  });

  it('uses a proxy with an https:// address', async () => {
    const secure = await startProxy({ tls: { cert, key: await pem('key') } });
    const settings = through(`https://127.0.0.1:${secure.port}`);
    for (const url of Object.values(urls)) expect(await callAt(url, settings)).toEqual(RESULTS[way]);
    expect(secure.requests.length).toBeGreaterThanOrEqual(2);
  });

  it('goes directly to what NO_PROXY names', async () => {
    const { port } = new URL(urls.http);
    const settings = through(`http://127.0.0.1:${proxy.port}`, ['example.org', '127.0.0.0/8']);
    expect(await callAt(`http://127.0.0.1:${port}`, settings)).toEqual(RESULTS[way]);
    expect(await callAt(urls.https, settings)).toEqual(RESULTS[way]);
    expect(proxy.requests).toEqual([]);
  });

  it('names the proxy when it is the one that fails', async () => {
    const gone = await startProxy();
    const settings = through(`http://127.0.0.1:${gone.port}`);
    gone.refusal = 403;
    for (const url of Object.values(urls))
      await expect(callAt(url, settings)).rejects.toThrow(new RegExp(`proxy 127.0.0.1:${gone.port}`));
    await proxies.pop()?.stop();
    for (const url of Object.values(urls)) {
      await expect(callAt(url, settings)).rejects.toMatchObject({
        name: 'PeerUnreachable',
        status: null,
        message: expect.stringMatching(/^Server A: .*proxy 127\.0\.0\.1:\d+.*refused|refused.*proxy 127/) as string,
      });
    }
  });

  it('has the proxy connect to no address that this server would not call', async () => {
    for (const [url, addresses] of [
      ['http://169.254.169.254', LOOPBACK_PEERS.addresses],
      ['https://[::ffff:169.254.169.254]', LOOPBACK_PEERS.addresses],
      ['http://127.0.0.1:8080', strictAddressRules],
      ['https://127.1', strictAddressRules],
      ['http://localhost:8080', strictAddressRules],
      ['https://x.localhost', strictAddressRules],
    ] as const) {
      const failing = callAt(url, { ...atProxy(), addresses });
      await expect(failing).rejects.toMatchObject({ code: 'PEER_ADDRESS_REFUSED', status: null });
    }
    expect(proxy.requests).toEqual([]);
  });
});

it('believes an answer of the peer itself, and names the proxy when nobody else can have answered', async () => {
  const client = transport(trustIn(atProxy()));
  await expect(client.get(peer(urls.http), '/refused', 1024)).rejects.toMatchObject({
    message: 'Server A: answered 409 PEER_SUSPENDED',
    code: 'PEER_SUSPENDED',
    status: 409,
  });
  proxy.refusal = 503;
  await expect(client.get(peer(urls.http), '/x', 1024)).rejects.toThrow(
    `Server A: answered 503 (through the proxy 127.0.0.1:${proxy.port})`,
  );
});
