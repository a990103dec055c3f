import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Answer } from '../../support/fuzz/answers.js';
import { fuzz } from '../../support/fuzz/runs.js';
import { FuzzScene } from '../../support/fuzz/scene.js';
import { headerText, nastyNumber, nastyText, urlText } from '../../support/fuzz/values.js';

let scene: FuzzScene;
beforeAll(async () => {
  scene = await FuzzScene.start('fuzz-downloads');
});
afterAll(() => scene.dispose());
afterEach(() => scene.expectHealthy());

const segment = fc.oneof(
  urlText,
  headerText.map((text) => text.replaceAll(/[^\x21-\x7e]/g, '')),
  fc.constantFrom(
    'known.pkg',
    '..',
    '.',
    '%2e%2e',
    '%c0%ae',
    '%ff',
    '%',
    '%0',
    '%2F',
    '%5c',
    'known.pkg%00',
    'KNOWN.PKG',
    'known.pkg/',
    '//',
    '?',
    '#',
    ';',
  ),
);
const root = fc.constantFrom(
  '/Packages/',
  '/share/',
  '/packages/',
  '/Packages',
  '/packages',
  '//Packages/',
  '/./Packages/',
  '/Packages/../',
  '/health/',
  '/peer/v1/packages/',
  '/cluster/v1/',
  '/api/',
  '/',
  '*',
  'http://a/Packages/',
  'http://',
);
const method = fc.constantFrom('GET', 'HEAD', 'GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'PATCH');

it('any path by any method', async () => {
  await fuzz(
    fc.tuple(method, root, fc.array(segment, { maxLength: 3 })),
    async ([how, start, rest]) => {
      await scene.raw(`${how} ${start}${rest.join('/')} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
    },
    { share: 4 },
  );
});

const position = fc.oneof(
  nastyNumber.map(String),
  fc.nat({ max: 2_500 }).map(String),
  fc.constantFrom('', '-', 'x', ' 5', '5 ', '00', '1e3', '0x5'),
);
const spec = fc.tuple(position, fc.constantFrom('-', '', '--', ' - '), position).map((parts) => parts.join(''));
const range = fc.oneof(
  fc
    .tuple(fc.constantFrom('bytes=', 'Bytes=', 'bytes =', 'lines=', 'bytes', '='), fc.array(spec, { maxLength: 5 }))
    .map(([unit, specs]) => unit + specs.join(',')),
  fc.nat({ max: 200 }).map((many) => `bytes=${'0-0,'.repeat(many)}1-1`),
  headerText,
);

/** The part of the file that this answer says to hold; null for several parts, or none. */
function promisedBytes({ status, headers }: Answer): Buffer | null {
  if (status === 200) return scene.content;
  const [, from, to] = /^bytes (\d+)-(\d+)\/2000$/.exec(headers.get('content-range') ?? '') ?? [];
  return status === 206 && from !== undefined ? scene.content.subarray(Number(from), Number(to) + 1) : null;
}

it('any Range and condition: what comes is the file, or a part of it that was asked for', async () => {
  const date = fc.constantFrom('Thu, 01 Jan 2099 00:00:00 GMT', 'Thu, 01 Jan 1970 00:00:00 GMT', 'yesterday', '0');
  const conditions = fc.dictionary(
    fc.constantFrom(
      'If-Range',
      'If-Match',
      'If-None-Match',
      'If-Modified-Since',
      'If-Unmodified-Since',
      'X-Odst-Accel',
      'Accept-Encoding',
      'Authorization',
      'Cookie',
    ),
    fc.oneof(date, headerText, fc.constantFrom('*', '"x"', 'W/"x"', '"', ',,,')),
    { maxKeys: 3 },
  );
  await fuzz(
    fc.tuple(fc.constantFrom('GET', 'HEAD'), fc.option(range), conditions),
    async ([how, wanted, given]) => {
      const all = { ...given, ...(wanted !== null && { Range: wanted }) };
      const lines = Object.entries(all)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('');
      const answer = await scene.raw(`${how} /Packages/known.pkg HTTP/1.1\r\nHost: a\r\n${lines}\r\n`);
      expect([200, 206, 304, 400, 412, 416]).toContain(answer?.status);
      const promised = how === 'HEAD' || !answer ? null : promisedBytes(answer);
      expect(promised === null || promised.equals(answer?.body ?? Buffer.alloc(0))).toBe(true);
    },
    { share: 4 },
  );
});

it('any signed address: none that was not made here opens anything', async () => {
  await scene.graphql({ query: 'mutation { setDownloadProtection(mode: SIGNED) { generatedPassword } }' });
  const { body } = await scene.graphql({
    query: `mutation { createDownloadUrl(packageId: "${scene.packageId}") { url } }`,
  });
  const { url } = (JSON.parse(body.toString()) as { data: { createDownloadUrl: { url: string } } }).data
    .createDownloadUrl;
  const { pathname, search } = new URL(url);
  expect((await scene.fetch(`${pathname}${search}`)).status).toBe(200);
  const query = fc.oneof(
    fc.dictionary(fc.constantFrom('signature', 'expires', 'x'), urlText, { maxKeys: 3 }).map(
      (given) =>
        `?${Object.entries(given)
          .map(([name, value]) => `${name}=${value}`)
          .join('&')}`,
    ),
    fc
      .tuple(fc.nat({ max: search.length - 1 }), fc.constantFrom('', 'A', '0', '&', '%00'))
      .map(([at, put]) => search.slice(0, at) + put + search.slice(at + 1)),
  );
  await fuzz(
    query.filter((text) => text !== search),
    async (text) => {
      const answer = await scene.fetch(`${pathname}${text}`);
      expect([400, 401, 403]).toContain(answer.status);
    },
  );
});

it('any password', async () => {
  await scene.graphql({
    query:
      'mutation { setDownloadProtection(mode: BASIC, username: "reader", password: "a long password") { generatedPassword } }',
  });
  const header = fc.oneof(
    headerText,
    fc
      .tuple(nastyText, nastyText)
      .map(([name, password]) => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`),
  );
  await fuzz(
    header,
    async (authorization) => {
      const forwarded = Object.entries(scene.fromElsewhere())
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('');
      const answer = await scene.raw(
        `GET /Packages/known.pkg HTTP/1.1\r\nHost: a\r\n${forwarded}Authorization: ${authorization}\r\n\r\n`,
      );
      // 400 for a header that is none.
      expect([400, 401]).toContain(answer?.status);
    },
    { share: 0.5 },
  );
});
