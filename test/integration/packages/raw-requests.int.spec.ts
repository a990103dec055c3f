import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factsIn, startPackageApp, type PackageApp } from '../../support/package-app.js';
import { waitFor } from '../../support/wait-for.js';

let app: PackageApp;
beforeAll(async () => {
  app = await startPackageApp();
});
afterAll(() => app.stop());

/** Sends bytes as they are, closes its side if asked to, and resolves with what has come when `expected` is in it. */
async function answerTo(request: string, expected: string, close = false): Promise<string> {
  const socket = connect(app.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (bytes) => (answer += bytes.toString('latin1'))).on('error', () => undefined);
  socket.write(request);
  if (close) socket.end();
  await waitFor(`an answer with ${expected}`, () => answer.includes(expected), 5_000);
  socket.destroy();
  return answer;
}

const put = (path: string, headers: string, body = ''): string =>
  `PUT /api/packages/${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n${body}`;

describe('what is no HTTP request is told so with a code', () => {
  it.each([
    ['a NUL in the path', put('a\0b', 'Content-Length: 1', 'x'), '400 Bad Request'],
    ['a negative length', put('a.pkg', 'Content-Length: -1', 'x'), '400 Bad Request'],
    ['a line of words', 'some words\r\n\r\n', '400 Bad Request'],
    ['no host', 'GET /Packages/a.pkg HTTP/1.1\r\n\r\n', '400 Bad Request'],
    ['two hosts', 'GET /Packages/a.pkg HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', '400 Bad Request'],
    [
      'an endless path',
      put('a'.repeat(40_000), 'Content-Length: 1'),
      '431 Request Header Fields Too Large',
      'HEADERS_TOO_LARGE',
    ],
    ['a long path', put('a'.repeat(8_000), 'Content-Length: 1'), '414 URI Too Long', 'URL_TOO_LONG'],
    [
      'many headers',
      put('a', `${'X-A: b\r\n'.repeat(101)}Content-Length: 1`),
      '431 Request Header Fields Too Large',
      'HEADERS_TOO_LARGE',
    ],
    [
      'a tunnel',
      'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n',
      '405 Method Not Allowed',
      'METHOD_NOT_ALLOWED',
    ],
    ['nothing but a scheme', 'GET http://? HTTP/1.1\r\nHost: a\r\n\r\n', '404 Not Found', 'NOT_FOUND'],
    [
      'another protocol',
      'GET /peer HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      '404 Not Found',
      'NOT_FOUND',
    ],
  ])('%s', async (_name, request, status, code = 'INVALID_REQUEST') => {
    const answer = await answerTo(request, `"code":"${code}"`);
    expect(answer.split('\r\n')[0]).toBe(`HTTP/1.1 ${status}`);
    for (const line of [
      "Content-Security-Policy: default-src 'none'",
      'X-Content-Type-Options: nosniff',
      'Referrer-Policy: no-referrer',
    ]) {
      expect(answer).toContain(`\r\n${line}`);
    }
  });

  it('a sender that closes its side early', async () => {
    const answer = await answerTo(put('short.pkg', 'Content-Length: 50', 'abc'), 'INCOMPLETE_BODY', true);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    await waitFor('an empty staging folder', async () => (await app.staging()).length === 0, 5_000);
    expect(factsIn(app.store)).toEqual([]);
  });
});

it('refuses a body that it cannot decode', async () => {
  const chunks = '1\r\nx\r\n0\r\n\r\n';
  const answer = await answerTo(put('a.pkg', 'Transfer-Encoding: gzip, chunked', chunks), 'UNSUPPORTED_MEDIA_TYPE');
  expect(answer).toMatch(/^HTTP\/1.1 415 /);
  expect(factsIn(app.store)).toEqual([]);
});

it('takes the whole URL as the target of a request', async () => {
  await answerTo(put('whole.pkg', 'Content-Length: 5', 'bytes'), '"filename":"whole.pkg"');
  const get = 'GET http://files.example/Packages/whole.pkg HTTP/1.1\r\nHost: files.example\r\n\r\n';
  expect(await answerTo(get, '\r\n\r\nbytes')).toMatch(/^HTTP\/1.1 200 /);
});

it('has no package with a NUL in its name', async () => {
  const answer = await answerTo('GET /Packages/a%00b HTTP/1.1\r\nHost: a\r\n\r\n', 'PACKAGE_NOT_FOUND');
  expect(answer).toMatch(/^HTTP\/1.1 404 /);
});

describe('who closes the own side after the request', () => {
  const twice = async (request: string): Promise<string> => answerTo(request, '\r\n\r\n', true);

  it('still gets the answer', async () => {
    await answerTo(put('half.pkg', 'Content-Length: 4', 'half'), '"filename":"half.pkg"', true);
    expect(await answerTo('GET /Packages/half.pkg HTTP/1.1\r\nHost: a\r\n\r\n', '\r\n\r\nhalf', true)).toMatch(
      /^HTTP\/1.1 200 /,
    );
    expect(await twice('GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n')).toMatch(/^HTTP\/1.1 404 /);
  });
});

describe('who is slow', () => {
  let impatient: PackageApp;
  beforeAll(async () => {
    const patience = { headersMs: 300, bodyMs: 300, paceMs: 300, idleMs: 2_000 };
    impatient = await startPackageApp({ accelRedirect: null }, { limits: patience });
  });
  afterAll(() => impatient.stop());

  /** Sends a beginning, then a byte now and then, until the other side closes the connection. */
  async function trickle(beginning: string, everyMs: number, bytes = 1): Promise<string> {
    const socket = connect(impatient.port, '127.0.0.1');
    let answer = '';
    let closed = false;
    socket
      .on('data', (data) => (answer += data.toString('latin1')))
      .on('error', () => undefined)
      .on('close', () => (closed = true));
    socket.write(beginning);
    const timer = setInterval(() => socket.write('x'.repeat(bytes)), everyMs);
    await waitFor('the end of the connection or an answer', () => closed || answer.includes('\r\n\r\n{'), 20_000);
    clearInterval(timer);
    socket.destroy();
    return answer;
  }

  it.each([
    ['with the headers', 'GET / HTTP/1.1\r\nHost: a\r\nX-Slow: '],
    [
      'with a small body',
      'POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
    ],
    ['with an upload', put('slow.pkg', 'Content-Length: 1000000', 'x')],
  ])('%s is told so', async (_, beginning) => {
    const answer = await trickle(beginning, 50);
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toContain('"code":"REQUEST_TIMEOUT"');
  });

  it('who sends nothing any more is told so', async () => {
    const answer = await trickle(put('idle.pkg', 'Transfer-Encoding: chunked', '1\r\nx\r\n'), 3_600_000);
    expect(answer).toContain('"code":"REQUEST_TIMEOUT"');
    await waitFor('an empty staging folder', async () => (await impatient.staging()).length === 0);
  });

  it('an upload that goes on may take as long as it takes', async () => {
    const [pieces, size] = [20, 5_000];
    const socket = connect(impatient.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => (answer += data.toString('latin1')));
    socket.write(put('long.pkg', `Content-Length: ${pieces * size}`));
    let sent = 0;
    // Far longer in all than any of the limits.
    const timer = setInterval(() => sent++ < pieces && socket.write('x'.repeat(size)), 200);
    await waitFor('the answer', () => answer.includes('"filename":"long.pkg"'));
    clearInterval(timer);
    socket.destroy();
    expect(answer).toMatch(/^HTTP\/1.1 201 /);
  });
});

describe('who offers HTTP/2 without TLS', () => {
  const OFFER = 'Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__';

  it('is answered by HTTP/1.1', async () => {
    const upload = `PUT /api/packages/offer.pkg HTTP/1.1\r\n${OFFER}\r\nContent-Length: 5\r\n\r\noffer`;
    await answerTo(upload, '"filename":"offer.pkg"');
    const download = `GET /Packages/offer.pkg HTTP/1.1\r\n${OFFER}\r\n\r\n`;
    expect(await answerTo(download, '\r\n\r\noffer')).toMatch(/^HTTP\/1.1 200 /);
    expect(await answerTo(`GET /nothing HTTP/1.1\r\n${OFFER}\r\n\r\n`, '"code":"NOT_FOUND"')).toMatch(
      /^HTTP\/1.1 404 /,
    );
  });

  it('can go on asking on the same connection, with a body that comes later', async () => {
    const socket = connect(app.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (bytes) => (answer += bytes.toString('latin1')));
    socket.write(`PUT /api/packages/later.pkg HTTP/1.1\r\n${OFFER}\r\nContent-Length: 200000\r\n\r\nx`);
    socket.write('y'.repeat(199_999));
    await waitFor('the upload', () => answer.includes('"size":200000'));
    answer = '';
    socket.write('HEAD /Packages/later.pkg HTTP/1.1\r\nHost: a\r\n\r\n');
    await waitFor('the second answer', () => answer.includes('Content-Length: 200000'));
    socket.destroy();
  });
});
