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
    ['an endless path', put('a'.repeat(40_000), 'Content-Length: 1'), '431 Request Header Fields Too Large'],
  ])('%s', async (_name, request, status) => {
    const answer = await answerTo(request, '"code":"INVALID_REQUEST"');
    expect(answer.split('\r\n')[0]).toBe(`HTTP/1.1 ${status}`);
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
