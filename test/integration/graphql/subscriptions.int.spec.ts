import { createClient, type Client } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { sendRaw } from '../../support/fuzz/raw-http.js';
import { GraphqlApp, TOKEN } from '../../support/graphql-app.js';
import { PEER, publication, recorded, stamp } from '../../support/read-side.js';
import { waitFor } from '../../support/wait-for.js';

let app: GraphqlApp;
let client: Client;
beforeAll(async () => {
  app = await GraphqlApp.start();
});
afterAll(() => app.stop());
afterEach(() => client.dispose());

const connect = (connectionParams: Record<string, unknown>) =>
  createClient({ url: app.url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams, retryAttempts: 0 });

interface Heard {
  readonly values: Record<string, unknown>[];
  ended: unknown;
}

/** Collects what a subscription tells, until it ends. */
function listen(query: string, params: Record<string, unknown> = { Authorization: `Bearer ${TOKEN}` }): Heard {
  client = connect(params);
  const heard: Heard = { values: [], ended: null };
  client.subscribe(
    { query },
    {
      next: ({ data, errors }) => heard.values.push({ ...data, ...(errors && { errors }) }),
      error: (error) => (heard.ended = error),
      complete: () => (heard.ended ??= 'complete'),
    },
  );
  return heard;
}

const signedIn = (username: string) => recorded('SignedIn', { accountId: username, username });

/** Repeats a change until the subscription, which may still be opening, hears of it. */
const until = (what: string, heard: Heard, change: () => Promise<unknown>, count = 1) =>
  waitFor(what, async () => {
    if (heard.values.length < count) await change();
    return heard.values.length >= count && heard.values;
  });

describe('a subscription', () => {
  it('tells which package changed, with its fields', async () => {
    const heard = listen('subscription { packageChanged { filename state replicas { local } } }');
    let time = 1;
    await until('the package', heard, () =>
      app.record(recorded('PackagePublished', publication('new.pkg', { time: time++ }))),
    );
    expect(heard.values[0]).toMatchObject({ packageChanged: { filename: 'new.pkg', state: 'AVAILABLE' } });
  });

  it('tells only of the package that it asks for', async () => {
    const [wanted, other] = [publication('wanted.pkg'), publication('other.pkg')];
    const heard = listen(`subscription { packageChanged(id: "${wanted.packageId}") { filename } }`);
    let time = 1;
    await until('the package', heard, () =>
      app.record(
        recorded('PackagePublished', { ...other, publication: stamp(time) }),
        recorded('PackagePublished', { ...wanted, publication: stamp(time++) }),
      ),
    );
    expect(new Set(heard.values.map((value) => JSON.stringify(value)))).toEqual(
      new Set(['{"packageChanged":{"filename":"wanted.pkg"}}']),
    );
  });

  it('tells everything that is recorded, in order and once, faster than one at a time', async () => {
    const heard = listen('subscription { auditRecorded(filter: {kinds: ["SignedIn"]}) { target { label } } }');
    await until('the first entry', heard, () => app.record(signedIn('first')));
    const many = Array.from({ length: 300 }, (_, i) => `user ${i}`);
    await app.record(...many.map(signedIn));
    const labels = (): unknown[] =>
      heard.values.map((value) => JSON.stringify(value)).filter((text) => text.includes('user'));
    await waitFor('all entries', () => labels().length >= many.length);
    expect(labels()).toEqual(many.map((label) => JSON.stringify({ auditRecorded: { target: { label } } })));
  });

  it('tells of peers', async () => {
    const heard = listen('subscription { peerChanged { id name state } }');
    const data = { peerId: PEER, name: 'There', url: 'http://there', publicKey: 'k', invitationId: 'i' };
    await until('the peer', heard, () => app.record(recorded('PeerRegistered', data)));
    expect(heard.values[0]).toEqual({ peerChanged: { id: PEER, name: 'There', state: 'REGISTERED' } });
  });
});

describe('a connection', () => {
  it.each([
    ['no token', {}],
    ['a wrong one', { Authorization: 'Bearer wrong' }],
  ])('with %s is closed as unauthorized', async (_, params) => {
    const heard = listen('subscription { peerChanged { id } }', params);
    await waitFor('the end', () => heard.ended);
    expect(heard.ended).toMatchObject({ code: 4401 });
  });

  it('may show its token as a header', async () => {
    class WithHeader extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol, { headers: { authorization: `Bearer ${TOKEN}` } });
      }
    }
    client = createClient({
      url: app.url.replace('http', 'ws'),
      webSocketImpl: WithHeader,
      lazy: false,
      retryAttempts: 0,
    });
    let open = false;
    client.on('connected', () => (open = true));
    await waitFor('the connection', () => open);
  });

  it.each([
    ['queries', '{ peers { id } }', 'BAD_REQUEST'],
    ['mistakes', 'subscription { nonsense }', 'GRAPHQL_VALIDATION_FAILED'],
    ['syntax errors', 'subscription {', 'GRAPHQL_PARSE_FAILED'],
  ])('answers %s with an error', async (_, query, code) => {
    const heard = listen(query);
    await waitFor('the end', () => heard.ended);
    expect(heard.ended).toMatchObject([{ extensions: { code } }]);
  });

  const init = JSON.stringify({ type: 'connection_init', payload: { Authorization: `Bearer ${TOKEN}` } });
  /** Says who connects and then sends messages as they are; the code with which the other side closes. */
  const closedWith = (messages: readonly string[]): Promise<number> =>
    new Promise((resolve) => {
      const socket = new WebSocket(app.url.replace('http', 'ws'), 'graphql-transport-ws');
      socket
        .on('open', () => messages.length > 0 && socket.send(init))
        .on('close', resolve)
        .on('error', () => undefined);
      socket.once('message', () => messages.forEach((message) => socket.send(message)));
    });
  const subscribe = (id: number): string =>
    JSON.stringify({ type: 'subscribe', id: String(id), payload: { query: 'subscription { peerChanged { id } }' } });

  it('is closed for who says nothing, too much at once or too much in all', async () => {
    client = connect({});
    expect(await closedWith([])).toBe(4408);
    expect(await closedWith(['x'.repeat(70_000)])).toBe(1009);
    expect(await closedWith(Array.from({ length: 60 }, (_, i) => subscribe(i)))).toBe(4429);
    const brief = (id: number): string[] => [subscribe(id), JSON.stringify({ type: 'complete', id: String(id) })];
    expect(await closedWith(Array.from({ length: 300 }, (_, i) => brief(i)).flat())).toBe(4429);
  });

  it('that is none of WebSockets is refused in the shape of all errors', async () => {
    client = connect({});
    const { port } = new URL(app.url);
    const answer = await sendRaw(
      Number(port),
      'GET /graphql HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    expect(answer?.status).toBe(400);
    expect(JSON.parse(String(answer?.body))).toMatchObject({ code: 'INVALID_REQUEST' });
  });

  it('elsewhere than on /graphql is not opened', async () => {
    client = connect({});
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}x`);
    const status = await new Promise((resolve) => {
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
      socket.on('error', resolve);
    });
    expect(status).toBe(404);
  });
});
