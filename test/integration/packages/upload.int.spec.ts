import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factsIn, startPackageApp, type PackageApp } from '../../support/package-app.js';
import { waitFor } from '../../support/wait-for.js';

const digest = (algorithm: string, bytes: Buffer, encoding: 'hex' | 'base64' = 'hex'): string =>
  createHash(algorithm).update(bytes).digest(encoding);

let app: PackageApp;
beforeAll(async () => {
  app = await startPackageApp();
});
afterAll(() => app.stop());

const put = (path: string, body: Buffer | string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${app.url}/api/packages${path}`, { method: 'PUT', body: new Uint8Array(Buffer.from(body)), headers });
const nothingLeft = async (): Promise<void> => {
  await waitFor('an empty staging folder', async () => (await app.staging()).length === 0, 5_000);
};
const published = (filename: string) => factsIn(app.store).filter((facts) => facts.filename === filename);

/** Sends bytes as they are and collects what comes back. */
async function raw(...parts: (string | Buffer)[]): Promise<{ socket: Socket; answer: () => string }> {
  const socket = connect(app.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (bytes) => (answer += bytes.toString('latin1'))).on('error', () => undefined);
  for (const part of parts) socket.write(part);
  return { socket, answer: () => answer };
}

const FORM = '--b\r\nContent-Disposition: form-data; name="file"; filename="nothing.pkg"\r\n\r\n\r\n--b--';

it.each([
  ['OPTIONS', '/api/packages/a.pkg', 'GET, HEAD, PUT'],
  ['POST', '/api/packages/a.pkg', 'GET, HEAD, PUT'],
  ['DELETE', '/api/packages/a%20b.pkg?stage=Dev', 'GET, HEAD, PUT'],
  ['OPTIONS', '/Packages/a.pkg', 'GET, HEAD'],
  ['POST', '/Packages/a.pkg', 'GET, HEAD'],
])('%s %s is not allowed, and the answer says what is', async (method, path, allow) => {
  const reply = await fetch(`${app.url}${path}`, { method });
  expect([reply.status, reply.headers.get('allow')]).toEqual([405, allow]);
  expect(await reply.json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
});

it.each(['OPTIONS', 'PUT', 'DELETE', 'PATCH'])(
  '%s /graphql is not allowed, and the answer says what is',
  async (method) => {
    for (const path of ['/graphql', '/graphql/?query={me{id}}']) {
      const reply = await fetch(`${app.url}${path}`, { method });
      expect([reply.status, reply.headers.get('allow')]).toEqual([405, 'GET, POST']);
      expect(await reply.json()).toMatchObject({
        errors: [{ message: 'Only GET and POST are possible here.', extensions: { code: 'METHOD_NOT_ALLOWED' } }],
      });
    }
  },
);

it('takes an address with a scheme in capitals', async () => {
  await put('/capital.pkg', 'content');
  const { socket, answer } = await raw(`GET HTTP://A/Packages/capital.pkg HTTP/1.1\r\nHost: a\r\n\r\n`);
  await waitFor('an answer', () => answer().includes('content-type') || answer().includes('Content-Type'), 5_000);
  expect(answer()).toMatch(/^HTTP\/1.1 200 /);
  socket.destroy();
});

it('refuses a large body of GraphQL before it is read', async () => {
  const head =
    'POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 31457280\r\n\r\n';
  const { socket, answer } = await raw(head);
  await waitFor('an answer', () => answer().includes('TOO_LARGE'), 5_000);
  expect(answer()).toMatch(/^HTTP\/1.1 413 /);
  expect(answer()).toMatch(/connection: close/i);
  socket.destroy();
});

it('refuses a body of GraphQL of unknown length as soon as it is too large', async () => {
  const head =
    'POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
  const piece = `${(512 * 1024).toString(16)}\r\n${'x'.repeat(512 * 1024)}\r\n`;
  const { socket, answer } = await raw(head, piece, piece, '1\r\nx\r\n');
  // The last chunk is never sent.
  await waitFor('an answer', () => answer().includes('TOO_LARGE'));
  expect(answer()).toMatch(/^HTTP\/1.1 413 /);
  expect(answer()).toMatch(/connection: close/i);
  expect(answer().match(/HTTP\/1.1/g)).toHaveLength(1);
  socket.destroy();
});

describe('PUT /api/packages/<filename>', () => {
  it('publishes the bytes, which are then served', async () => {
    const bytes = randomBytes(2_500_000);
    const reply = await put('/Fire%20Fox%C3%BC.pkg?stage=Prod', bytes);
    expect(reply.status).toBe(201);
    expect(reply.headers.get('location')).toBe('http://localhost/Packages/Fire%20Fox%C3%BC.pkg');
    const body = (await reply.json()) as { id: string };
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      filename: 'Fire Foxü.pkg',
      size: bytes.length,
      sha1: digest('sha1', bytes),
      sha256: digest('sha256', bytes),
      stage: 'Prod',
    });
    const download = await fetch(`${app.url}${new URL(reply.headers.get('location') ?? '').pathname}`);
    expect(Buffer.from(await download.arrayBuffer()).equals(bytes)).toBe(true);
    expect(await app.packages()).toContain(body.id);
  });

  it('takes the stage of the server when none is given, and records who, what and where', async () => {
    expect((await put('/stage.pkg', 'x')).status).toBe(201);
    expect(published('stage.pkg')).toMatchObject([{ stage: 'Test', chunkCount: 1, origin: { name: 'Server A' } }]);
  });

  it('records the digests of all chunks once, and each publication that changes what is served', async () => {
    const bytes = randomBytes(3_000_000);
    const other = randomBytes(1000);
    const statuses = [];
    for (const content of [bytes, bytes, other, bytes]) statuses.push((await put('/twice.pkg', content)).status);
    expect(statuses).toEqual([201, 200, 201, 200]);
    const [facts] = published('twice.pkg').filter(({ size }) => size === bytes.length);
    const events = app.store.all.filter((event) => event.stream === `package-${facts?.packageId}`);
    expect(events.map((event) => event.type)).toEqual(['PackageChunksHashed', 'PackagePublished', 'PackagePublished']);
    expect(events[0]?.data).toMatchObject({ first: 0, count: 3 });
  });

  it('never lowers a stage, unless it says so, and records each change of a stage as one', async () => {
    const steps = ['Test', 'Test', 'Dev', 'Prod', 'Test', 'Dev&demote=false', 'Dev&demote=true', 'Dev'];
    const answers = [];
    for (const stage of steps) {
      const reply = await put(`/staged.pkg?stage=${stage}`, 'content');
      answers.push([reply.status, ((await reply.json()) as { stage: string }).stage]);
    }
    const shown = ['Test', 'Test', 'Test', 'Prod', 'Prod', 'Prod', 'Dev', 'Dev'];
    expect(answers).toEqual(shown.map((stage, i) => [i === 0 ? 201 : 200, stage]));
    const [facts] = published('staged.pkg');
    const changes = app.store.all
      .filter(({ stream, type }) => stream === `package-${facts?.packageId}` && type === 'PackageStageChanged')
      .map(({ data }) => data);
    expect(changes).toMatchObject([
      { from: 'Test', to: 'Prod' },
      { from: 'Prod', to: 'Dev' },
    ]);
    expect((await put('/staged.pkg?demote=yes', 'content')).status).toBe(400);
  });

  it('answers with an address that works, also for a stage that this server does not serve', async () => {
    const reply = await put('/withheld%20%23.pkg?stage=Dev', 'content');
    const location = new URL(reply.headers.get('location') ?? '');
    expect(location.host).toBe('localhost');
    const there = await fetch(`${app.url}${location.pathname}${location.search}`);
    expect([there.status, await there.json()]).toEqual([200, await reply.json()]);
  });

  it('says without any bytes whether a package is there, by its name or its content', async () => {
    const bytes = randomBytes(1000);
    const ask = (query: string, method = 'HEAD') =>
      fetch(`${app.url}/api/packages/asked%20for.pkg${query}`, { method });
    expect((await ask('')).status).toBe(404);
    const created: unknown = await (await put('/asked%20for.pkg?stage=Prod', bytes)).json();
    const sha256 = digest('sha256', bytes);
    for (const query of ['', `?sha256=${sha256}`, `?sha256=${sha256.toUpperCase()}`])
      expect((await ask(query)).status).toBe(200);
    expect(await (await ask('', 'GET')).json()).toEqual(created);
    expect((await ask(`?sha256=${digest('sha256', Buffer.from('other'))}`)).status).toBe(404);
    for (const wrong of ['x', sha256.slice(1), `${sha256}&sha256=${sha256}`])
      expect((await ask(`?sha256=${wrong}`)).status).toBe(400);
  });

  it('with If-None-Match is refused before its bytes when the package is there', async () => {
    const bytes = randomBytes(1000);
    const etag = `"${digest('sha256', bytes)}"`;
    for (const none of ['*', etag])
      expect((await put(`/once${none.length}.pkg`, bytes, { 'if-none-match': none })).status).toBe(201);
    const head = (name: string, none: string) =>
      `PUT /api/packages/${name} HTTP/1.1\r\nHost: a\r\nIf-None-Match: ${none}\r\nContent-Length: 1000000\r\n\r\n`;
    for (const none of ['*', etag, `"${'0'.repeat(64)}", W/${etag}`]) {
      const { socket, answer } = await raw(head('once1.pkg', none));
      await waitFor('an answer', () => answer().includes('PACKAGE_EXISTS'), 5_000);
      expect(answer()).toMatch(/^HTTP\/1.1 412 /);
      expect(answer()).toMatch(/connection: close/i);
      socket.destroy();
    }
    const other = randomBytes(1000);
    expect((await put('/once1.pkg', other, { 'if-none-match': etag.replace(/[0-9a-f]/g, '0') })).status).toBe(201);
  });

  it('serves the content that was uploaded last', async () => {
    for (const text of ['first', 'second', 'first']) {
      await put('/changes.pkg', text);
      expect(await (await fetch(`${app.url}/Packages/changes.pkg`)).text()).toBe(text);
    }
  });

  it('takes many uploads of one name at the same time', async () => {
    const all = Array.from({ length: 8 }, (_, i) => randomBytes(1_200_000 + i));
    const replies = await Promise.all([...all, ...all].map((bytes) => put('/same.pkg', bytes)));
    expect(replies.map((reply) => reply.status).filter((status) => status !== 201 && status !== 200)).toEqual([]);
    expect(
      published('same.pkg')
        .map((facts) => facts.sha256)
        .toSorted(),
    ).toEqual(all.map((bytes) => digest('sha256', bytes)).toSorted());
  });

  it.each([
    ['/', 'empty'],
    ['', 'empty'],
    ['/a%2Fb', 'slashes'],
    ['/a%5Cb', 'slashes'],
    ['/a%00b', 'NUL'],
    ['/a%0Ab', 'control'],
    ['/%C2%85', 'control'],
    ['/%20a', 'white space'],
    ['/%ff', 'percent-encoded'],
    ['/%', 'percent-encoded'],
    [`/${'a'.repeat(256)}`, '255 bytes'],
  ])('refuses the filename in %s', async (path, why) => {
    const reply = await put(path, 'x');
    expect(reply.status).toBe(400);
    expect(await reply.json()).toEqual({ code: 'INVALID_FILENAME', message: expect.stringContaining(why) });
  });

  it.each(['/a/b', '/../a', '/..', '/.', '//', '/a/..'])('refuses the raw path %s', async (path) => {
    const { socket, answer } = await raw(`PUT /api/packages${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx`);
    await waitFor('an answer', () => answer().includes('INVALID_FILENAME'), 5_000);
    expect(answer()).toMatch(/^HTTP\/1.1 400 /);
    socket.destroy();
  });

  it.each([
    ['/a.pkg?stage=dev', {}, 400, 'INVALID_STAGE'],
    ['/a.pkg?stage=Dev&stage=Prod', {}, 400, 'INVALID_STAGE'],
    ['/a.pkg', { 'Content-Encoding': 'gzip' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['/a.pkg', { 'Content-Range': 'bytes 0-0/5' }, 400, 'INVALID_REQUEST'],
    ['/a.pkg', { 'Repr-Digest': 'sha-256=abc' }, 400, 'INVALID_DIGEST'],
    ['/a.pkg', { 'Repr-Digest': 'sha-256=:YWJj:' }, 400, 'INVALID_DIGEST'],
    ['/a.pkg', { 'Repr-Digest': ';;' }, 400, 'INVALID_DIGEST'],
  ])('refuses %s with %j', async (path, headers, status, code) => {
    const reply = await put(path, 'x', headers as Record<string, string>);
    expect(reply.status).toBe(status);
    expect(await reply.json()).toMatchObject({ code });
    expect(published('a.pkg')).toEqual([]);
    await nothingLeft();
  });

  it.each([
    ['PUT', 'Content-Length: 0', ''],
    ['PUT', 'Transfer-Encoding: chunked', '0\r\n\r\n'],
    ['POST', 'Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 83', FORM],
  ])('refuses a file without bytes by %s with %s, unless that is meant', async (method, headers, body) => {
    const path = method === 'PUT' ? '/api/packages/nothing.pkg' : '/api/packages';
    const send = (query: string) => raw(`${method} ${path}${query} HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n${body}`);
    const before = published('nothing.pkg');
    for (const query of ['', '?allowEmpty=false', '?stage=Dev']) {
      const { socket, answer } = await send(query);
      await waitFor('a refusal', () => answer().includes('EMPTY_FILE'), 5_000);
      expect(answer()).toMatch(/^HTTP\/1.1 400 /);
      socket.destroy();
    }
    expect(published('nothing.pkg')).toEqual(before);
    await nothingLeft();
    const wrong = await send('?allowEmpty=yes');
    await waitFor('a refusal', () => wrong.answer().includes('INVALID_REQUEST'), 5_000);
    wrong.socket.destroy();
    const { socket, answer } = await send('?allowEmpty=true');
    await waitFor('an answer', () => /^HTTP\/1.1 20[01] /.test(answer()), 5_000);
    socket.destroy();
    expect(published('nothing.pkg')).toMatchObject([{ size: 0, chunkCount: 0 }]);
  });

  it('checks every digest that it is given', async () => {
    const bytes = Buffer.from('some bytes');
    for (const [name, algorithm] of Object.entries({ 'sha-256': 'sha256', 'sha-512': 'sha512', sha: 'sha1' })) {
      const good = `${name}=:${digest(algorithm, bytes, 'base64')}:`;
      const bad = `${name}=:${digest(algorithm, Buffer.from('others'), 'base64')}:`;
      expect((await put(`/digest-${algorithm}.pkg`, bytes, { 'Repr-Digest': good })).status).toBe(201);
      for (const header of ['Repr-Digest', 'Content-Digest']) {
        const reply = await put('/wrong.pkg', bytes, { [header]: bad });
        expect(reply.status).toBe(422);
        expect(await reply.json()).toMatchObject({ code: 'DIGEST_MISMATCH', details: { algorithm } });
      }
    }
    expect((await put('/digest.pkg', bytes, { 'Repr-Digest': 'md5=:YWJj:' })).status).toBe(201);
    expect(published('wrong.pkg')).toEqual([]);
    await nothingLeft();
  });

  it('refuses at once what does not fit on the disk', async () => {
    const { socket, answer } = await raw(
      `PUT /api/packages/huge.pkg HTTP/1.1\r\nHost: a\r\nContent-Length: ${2 ** 52}\r\n\r\n`,
      Buffer.alloc(1000),
    );
    await waitFor('an answer', () => answer().includes('INSUFFICIENT_STORAGE'), 5_000);
    expect(answer()).toMatch(/^HTTP\/1.1 507 [^]*connection: close/i);
    socket.destroy();
    await nothingLeft();
  });
});

describe('a sender that stops early', () => {
  it('leaves nothing behind', async () => {
    const { socket } = await raw(
      'PUT /api/packages/short.pkg HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n',
      randomBytes(2_000_000),
    );
    await waitFor('a staging file', async () => (await app.staging()).length > 0, 5_000);
    socket.destroy();
    await nothingLeft();
    expect(published('short.pkg')).toEqual([]);
  });
});

describe('Expect: 100-continue', () => {
  const ask = (path: string): string =>
    `PUT /api/packages${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n`;

  it('is answered when the upload is wanted', async () => {
    const { socket, answer } = await raw(ask('/continue.pkg'));
    await waitFor('100 Continue', () => answer().startsWith('HTTP/1.1 100 Continue\r\n\r\n'), 5_000);
    socket.write('abc');
    await waitFor('201', () => answer().includes('HTTP/1.1 201 Created'), 5_000);
    socket.destroy();
  });

  it('is not answered when the upload is refused', async () => {
    const { socket, answer } = await raw(ask('/a%2Fb'));
    await waitFor('a refusal', () => answer().includes('INVALID_FILENAME'), 5_000);
    expect(answer()).toMatch(/^HTTP\/1.1 400 /);
    socket.destroy();
  });
});

it('lets a sender who was refused early read the answer', async () => {
  const { socket, answer } = await raw(
    'PUT /api/packages/a.pkg?stage=x HTTP/1.1\r\nHost: a\r\nContent-Length: 20000000\r\n\r\n',
    randomBytes(10_000_000),
  );
  await waitFor('the refusal', () => answer().includes('INVALID_STAGE'), 5_000);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.end(randomBytes(10_000_000));
  await closed;
});
