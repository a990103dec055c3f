import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { codesOf, type Answer } from '../../support/fuzz/answers.js';
import { fuzz } from '../../support/fuzz/runs.js';
import { FuzzScene } from '../../support/fuzz/scene.js';
import { headerText, urlText } from '../../support/fuzz/values.js';

let scene: FuzzScene;
beforeAll(async () => {
  scene = await FuzzScene.start('fuzz-uploads', { ODST_STAGE: 'Dev' });
});
afterAll(() => scene.dispose());
afterEach(() => scene.expectHealthy());

/** As they could come on the wire: no spaces, no control characters. */
const rawPath = headerText.map((text) => text.replaceAll(/[^\x21-\x7e]/g, ''));
const stage = fc.oneof(
  fc.constantFrom('', '?stage=Dev', '?stage=Prod', '?stage=', '?stage=Live', '?stage=Dev&stage=Test', '?&&=&stage'),
  urlText.map((text) => `?stage=${text}`),
);

/** Whatever was said to be uploaded can be downloaded. */
async function expectServed({ status, body }: Answer, bytes: Buffer): Promise<void> {
  if (status !== 201) return;
  const { filename, id } = JSON.parse(body.toString()) as { filename: string; id: string };
  const served = await scene.fetch(`/packages/${id}/${encodeURIComponent(filename)}`);
  expect(served.status).toBe(200);
  expect(served.body.equals(bytes)).toBe(true);
}

it('a file by PUT under any name, with any stage', async () => {
  await fuzz(fc.tuple(fc.oneof(urlText, rawPath), stage), async ([name, query]) => {
    const bytes = randomBytes(20);
    const path = `/api/packages/${name}${query}`;
    const head = `PUT ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: ${scene.bearer['authorization']}\r\nContent-Length: 20\r\nConnection: close\r\n\r\n`;
    const answer = await scene.raw(Buffer.concat([Buffer.from(head, 'latin1'), bytes]));
    if (answer) await expectServed(answer, bytes);
  });
});

const digest = fc.oneof(
  headerText,
  fc.constantFrom(
    'sha-256=:AAAA:',
    'sha-256=::',
    'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:',
    'sha=1',
    'sha-256=?1',
    'sha-512=:x:, sha=:y:',
    ':',
    '=',
    ',',
  ),
);

it('with any header', async () => {
  const headers = fc.dictionary(
    fc.constantFrom(
      'Content-Type',
      'Content-Digest',
      'Repr-Digest',
      'Content-Encoding',
      'Content-Range',
      'Expect',
      'X-Request-Id',
      'X-Forwarded-For',
      'Range',
      'If-Match',
      'Cookie',
      'Origin',
      'Sec-Fetch-Site',
      'User-Agent',
    ),
    fc.oneof(digest, headerText),
    { maxKeys: 5 },
  );
  await fuzz(headers, async (given) => {
    const lines = Object.entries(given)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    await scene.raw(
      `PUT /api/packages/headers.pkg HTTP/1.1\r\nHost: a\r\nAuthorization: ${scene.bearer['authorization']}\r\n${lines}Content-Length: 3\r\n\r\nabc`,
    );
  });
});

it('with any body, by any encoding of chunks', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '3\r\nabc\r\n',
      '0\r\n\r\n',
      '3;x=y\r\nabc\r\n',
      'zz\r\n',
      '-1\r\n',
      'FFFFFFFFFFFFFFFFF\r\n',
      '3\nabc\n',
      '0\r\nTrailer: x\r\n\r\n',
      '3\r\nab',
      '\r\n',
      '00000003\r\nabc\r\n',
      `3;${'x'.repeat(20_000)}\r\nabc\r\n`,
    ),
    fc.string({ maxLength: 20 }),
  );
  const framing = fc.constantFrom(
    'Transfer-Encoding: chunked',
    'Transfer-Encoding: chunked\r\nContent-Length: 3',
    'Content-Length: 3\r\nContent-Length: 4',
    'Content-Length: 3',
    'Content-Length: x',
    'Transfer-Encoding: chunked, chunked',
    'Transfer-Encoding: identity',
    'Transfer-Encoding:\x0bchunked',
    'Content-Length: +3',
    'Content-Length: 99999999999999999999',
  );
  await fuzz(fc.tuple(framing, fc.array(piece, { maxLength: 6 })), async ([header, pieces]) => {
    // The own side is closed at the end, so an unfinished body is one that was cut off.
    await scene.raw(
      `PUT /api/packages/framing.pkg HTTP/1.1\r\nHost: a\r\nAuthorization: ${scene.bearer['authorization']}\r\n${header}\r\n\r\n${pieces.join('')}`,
      true,
    );
  });
});

it('by any form', async () => {
  const name = fc.oneof(fc.constantFrom('file', 'stage', 'other'), headerText);
  const part = fc.record({
    name,
    filename: fc.option(headerText),
    type: fc.option(headerText),
    body: fc.oneof(headerText, fc.constantFrom('Dev', '--x', '\r\n--x--\r\n', 'a'.repeat(200))),
    more: fc.constantFrom('', 'Content-Transfer-Encoding: base64\r\n', 'Content-Disposition: form-data\r\n'),
  });
  const form = fc.record({
    parts: fc.array(part, { maxLength: 4 }),
    isClosed: fc.boolean(),
    boundary: fc.constantFrom('x', '"x"', '', 'y', 'x'.repeat(200)),
    before: fc.constantFrom('', 'preamble\r\n', '\r\n'),
  });
  await fuzz(form, async ({ parts, isClosed, boundary, before }) => {
    const body = parts.map((one) => {
      const filename = one.filename === null ? '' : `; filename="${one.filename}"`;
      const type = one.type === null ? '' : `Content-Type: ${one.type}\r\n`;
      return `--x\r\nContent-Disposition: form-data; name="${one.name}"${filename}\r\n${type}${one.more}\r\n${one.body}\r\n`;
    });
    const text = Buffer.from(`${before}${body.join('')}${isClosed ? '--x--\r\n' : ''}`, 'latin1');
    const head = `POST /api/packages HTTP/1.1\r\nHost: a\r\nAuthorization: ${scene.bearer['authorization']}\r\nContent-Type: multipart/form-data; boundary=${boundary}\r\nContent-Length: ${text.length}\r\n\r\n`;
    await scene.raw(Buffer.concat([Buffer.from(head), text]));
  });
});

it('by somebody who may not, of which nothing is kept', async () => {
  await fuzz(
    fc.tuple(urlText, fc.oneof(headerText, fc.constantFrom('Bearer x', 'Basic YTpi', 'Bearer odst_x'))),
    async ([name, authorization]) => {
      const elsewhere = scene.fromElsewhere();
      const lines = Object.entries(elsewhere)
        .map(([key, value]) => `${key}: ${value}\r\n`)
        .join('');
      const answer = await scene.raw(
        `PUT /api/packages/${name} HTTP/1.1\r\nHost: a\r\n${lines}Authorization: ${authorization}\r\nContent-Length: 3\r\n\r\nabc`,
      );
      expect(answer === null ? ['closed'] : codesOf(answer)).toHaveLength(1);
    },
  );
});

it('and clients that leave in the middle', async () => {
  await fuzz(fc.tuple(fc.nat({ max: 400 }), fc.boolean()), async ([cut, halfClose]) => {
    const whole = `PUT /api/packages/cut.pkg HTTP/1.1\r\nHost: a\r\nAuthorization: ${scene.bearer['authorization']}\r\nContent-Length: 500\r\n\r\n${'x'.repeat(500)}`;
    if (halfClose) await scene.raw(whole.slice(0, cut), true);
    else await scene.leave(whole.slice(0, cut));
  });
});
