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
    ['very many fields', `subscription { ${'nonsense { id } '.repeat(300)} }`, 'QUERY_TOO_WIDE'],
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

  /** Opens a connection of the account that all tests use, and collects the messages that it gets. */
  const open = (): {
    socket: WebSocket;
    messages: { type: string; id?: string; payload?: unknown }[];
    code: number;
  } => {
    const socket = new WebSocket(app.url.replace('http', 'ws'), 'graphql-transport-ws');
    const seen = { socket, messages: [] as { type: string; id?: string; payload?: unknown }[], code: 0 };
    socket
      .on('open', () => socket.send(init))
      .on('message', (text) => seen.messages.push(JSON.parse(String(text))))
      .on('close', (code) => (seen.code = code));
    return seen;
  };
  const closeAll = async (opened: readonly ReturnType<typeof open>[]): Promise<void> => {
    for (const { socket } of opened) socket.close();
    await waitFor('the end of all', () => opened.every(({ code }) => code !== 0));
  };

  it('is refused to an account that has very many, and the others stay', async () => {
    client = connect({});
    const opened = Array.from({ length: 20 }, open);
    await waitFor('all of them', () => opened.every(({ messages }) => messages.length > 0));
    const oneMore = open();
    await waitFor('the refusal', () => oneMore.code !== 0);
    expect(oneMore.code).toBe(4429);
    expect(opened.map(({ code }) => code)).toEqual(opened.map(() => 0));
    await closeAll(opened.slice(0, 1));
    const after = await waitFor('room for another', async () => {
      const another = open();
      await waitFor('an answer', () => another.code !== 0 || another.messages.length > 0);
      return another.code === 0 && another;
    });
    await closeAll([...opened.slice(1), after]);
  });

  it('carries no more subscriptions than its account may have', async () => {
    client = connect({});
    const opened = Array.from({ length: 3 }, open);
    await waitFor('all of them', () => opened.every(({ messages }) => messages.length > 0));
    for (const [n, { socket }] of opened.entries())
      for (let i = 0; i < 34 && n * 34 + i < 101; i++) socket.send(subscribe(i));
    const refused = await waitFor('a refusal', () => {
      const errors = opened.flatMap(({ messages }) => messages.filter(({ type }) => type === 'error'));
      return errors.length > 0 && errors;
    });
    expect(refused).toMatchObject([{ payload: [{ extensions: { code: 'TOO_MANY_REQUESTS' } }] }]);
    expect(opened.map(({ code }) => code)).toEqual([0, 0, 0]);
    await closeAll(opened);
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
