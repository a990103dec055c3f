import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factsIn, startPackageApp, type PackageApp } from '../../support/package-app.js';
import { waitFor } from '../../support/wait-for.js';

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

let app: PackageApp;
beforeAll(async () => {
  app = await startPackageApp();
});
afterAll(() => app.stop());

const nothingLeft = async (): Promise<void> => {
  await waitFor('an empty staging folder', async () => (await app.staging()).length === 0);
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

describe('POST /api/packages', () => {
  const post = (form: FormData, query = ''): Promise<Response> =>
    fetch(`${app.url}/api/packages${query}`, { method: 'POST', body: form });
  const form = (...fields: [string, string | Buffer, string?][]): FormData => {
    const data = new FormData();
    for (const [name, value, filename] of fields) {
      if (typeof value === 'string') data.append(name, value);
      else data.append(name, new Blob([new Uint8Array(value)]), filename);
    }
    return data;
  };

  it('publishes the file of a form, with the stage before or after it', async () => {
    const bytes = randomBytes(2_345_678);
    for (const fields of [
      [
        ['stage', 'Dev'],
        ['file', bytes, 'Förm 1.pkg'],
      ],
      [
        ['file', bytes, 'Förm 2.pkg'],
        ['stage', 'Prod'],
      ],
    ] as [string, string | Buffer, string?][][]) {
      const reply = await post(form(...fields));
      expect(reply.status).toBe(201);
      const stage = fields.find(([name]) => name === 'stage')?.[1];
      expect(await reply.json()).toMatchObject({
        filename: expect.stringMatching(/^Förm [12]\.pkg$/),
        sha256: digest(bytes),
        stage,
      });
    }
    const chosen = await post(form(['file', bytes, 'Förm.pkg']), '?stage=Dev');
    expect(await chosen.json()).toMatchObject({ stage: 'Dev' });
  });

  const file = randomBytes(100_000);
  it.each<[string, number, string, [string, string | Buffer, string?][]]>([
    ['no file', 400, 'INVALID_REQUEST', [['stage', 'Dev']]],
    [
      'two files',
      400,
      'INVALID_REQUEST',
      [
        ['file', file, 'f.pkg'],
        ['file', file, 'f.pkg'],
      ],
    ],
    ['another name', 400, 'INVALID_REQUEST', [['package', file, 'f.pkg']]],
    [
      'another field',
      400,
      'INVALID_REQUEST',
      [
        ['file', file, 'f.pkg'],
        ['colour', 'red'],
      ],
    ],
    ['a text as the file', 400, 'INVALID_REQUEST', [['file', 'text']]],
    [
      'a wrong stage before',
      400,
      'INVALID_STAGE',
      [
        ['stage', 'dev'],
        ['file', file, 'f.pkg'],
      ],
    ],
    [
      'a wrong stage after',
      400,
      'INVALID_STAGE',
      [
        ['file', file, 'f.pkg'],
        ['stage', 'dev'],
      ],
    ],
    ['a filename that is no UTF-8', 400, 'INVALID_FILENAME', [['file', file, '\uFFFD.pkg']]],
    ['a path as filename', 400, 'INVALID_FILENAME', [['file', file, '../f.pkg']]],
  ])('refuses a form with %s', async (_name, status, code, fields) => {
    const reply = await post(form(...fields));
    expect(await reply.json()).toMatchObject({ code });
    expect(reply.status).toBe(status);
    expect(published('f.pkg')).toEqual([]);
    await nothingLeft();
  });

  const sendForm = async (disposition: string, bytes: string, more = '') => {
    const body = Buffer.from(`--b\r\n${disposition}\r\n${more}\r\n${bytes}\r\n--b--\r\n`);
    const head = `POST /api/packages HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary="b"\r\nContent-Length: ${body.length}\r\n\r\n`;
    const { socket, answer } = await raw(head, body);
    await waitFor('an answer', () => /"(?:filename|message)":/.test(answer()));
    socket.destroy();
    return Buffer.from(answer(), 'latin1').toString();
  };

  it.each([
    ['of .NET', `filename="=?utf-8?B?w5wvYi5wa2c=?="; filename*=utf-8''%C3%9C%20b.pkg`, 'Ü b.pkg'],
    ['of .NET, the other way round', `filename*=utf-8''%C3%A4%22.pkg; filename="=?utf-8?B?w6Q=?="`, 'ä".pkg'],
    ['of curl and browsers', 'filename="say %22hi%22; 2.pkg"', 'say "hi"; 2.pkg'],
    ['without quotation marks', 'filename=Foo bar  3.pkg', 'Foo bar  3.pkg'],
  ])('takes the name of the file in a form %s', async (_who, filename, name) => {
    const answer = await sendForm(`Content-Disposition: form-data; name="file"; ${filename}`, `bytes of ${name}`);
    expect(answer).toMatch(/^HTTP\/1.1 201 /);
    expect(answer).toContain(`"filename":${JSON.stringify(name)}`);
    expect(published(name)).toHaveLength(1);
  });

  it.each([
    ['an unterminated quotation mark', 'form-data; name="file"; filename="odd.pkg', '', 'INVALID_REQUEST'],
    ['something behind a quotation mark', 'form-data; name="file"; filename="odd" .pkg', '', 'INVALID_REQUEST'],
    ['two filenames', 'form-data; name="file"; filename=odd.pkg; filename="odd2.pkg"', '', 'INVALID_REQUEST'],
    [
      'a file without a name',
      'form-data; name="file"',
      'Content-Type: application/octet-stream\r\n',
      'INVALID_REQUEST',
    ],
    ['base64', 'form-data; name="file"; filename=odd.pkg', 'Content-Transfer-Encoding: base64\r\n', 'INVALID_REQUEST'],
    ['a broken filename*', `form-data; name="file"; filename=odd.pkg; filename*=utf-8''%ff`, '', 'INVALID_FILENAME'],
    ['a stage as a file', 'form-data; name="stage"; filename=odd.pkg', '', 'INVALID_REQUEST'],
  ])('refuses a form with %s', async (_what, disposition, more, code) => {
    const answer = await sendForm(`Content-Disposition: ${disposition}`, 'Dev', more);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain(`"code":"${code}"`);
    expect(app.store.all.filter(({ data }) => JSON.stringify(data).includes('odd'))).toEqual([]);
    await nothingLeft();
  });

  it('refuses what is no form', async () => {
    const reply = await fetch(`${app.url}/api/packages`, { method: 'POST', body: 'x' });
    expect(reply.status).toBe(415);
  });

  it.each(['cut off', 'ended without its boundary'])('leaves nothing of a form that is %s', async (how) => {
    const body = '--b\r\nContent-Disposition: form-data; name="file"; filename="f.pkg"\r\n\r\nabcdef';
    const length = how === 'cut off' ? 5_000_000 : body.length;
    const { socket, answer } = await raw(
      `POST /api/packages HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: ${length}\r\n\r\n${body}`,
    );
    if (how === 'cut off') {
      await waitFor('a staging file', async () => (await app.staging()).length > 0);
      socket.destroy();
    } else await waitFor('a refusal', () => /^HTTP\/1.1 400 [^]*INCOMPLETE_BODY/.test(answer()));
    await nothingLeft();
    expect(published('f.pkg')).toEqual([]);
    socket.destroy();
  });
});
