import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { factsIn, type PackageApp } from '../support/package-app.js';

/** A server with what stands in front of it. */
export interface Served {
  readonly app: PackageApp;
  /** Where endpoints ask. */
  readonly url: string;
  stop(): Promise<void>;
}

const sha256 = (content: Buffer, encoding: 'hex' | 'base64' = 'hex'): string =>
  createHash('sha256').update(content).digest(encoding);

const bytes = randomBytes(3_000_000);
const small = Buffer.from('0123456789');
const etag = `"${sha256(small)}"`;

/** What endpoints rely on, whoever sends the bytes. */
export function downloadContract(start: () => Promise<Served>): void {
  let served: Served;
  const upload = async (name: string, content: Buffer): Promise<{ id: string }> => {
    const url = `${served.url}/api/packages/${encodeURIComponent(name)}?allowEmpty=true`;
    const reply = await fetch(url, { method: 'PUT', body: new Uint8Array(content) });
    expect(reply.status).toBe(201);
    const { id } = (await reply.json()) as { id: string };
    return { id };
  };
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
    fetch(`${served.url}${path}`, { headers, method });
  const bodyOf = async (reply: Response): Promise<Buffer> => Buffer.from(await reply.arrayBuffer());

  beforeAll(async () => {
    served = await start();
    await upload('big.pkg', bytes);
    await upload('small.dmg', small);
    await upload('empty.txt', Buffer.alloc(0));
  });
  afterAll(() => served.stop());

  describe('whole files', () => {
    it.each(['/Packages/', '/share/', '/share/Packages/'])('are served under %s', async (folder) => {
      const reply = await get(`${folder}big.pkg`);
      expect(reply.status).toBe(200);
      expect((await bodyOf(reply)).equals(bytes)).toBe(true);
      expect(Object.fromEntries(reply.headers)).toMatchObject({
        'content-length': '3000000',
        'content-type': 'application/octet-stream',
        'accept-ranges': 'bytes',
        'x-content-type-options': 'nosniff',
        etag: `"${sha256(bytes)}"`,
        'repr-digest': `sha-256=:${sha256(bytes, 'base64')}:`,
        'last-modified': new Date(factsIn(served.app.store)[0]?.firstPublishedAt ?? '').toUTCString(),
      });
    });

    it('are served by version, only under their own names', async () => {
      const { id } = await upload('versions.pkg', Buffer.from('one'));
      await upload('versions.pkg', Buffer.from('two'));
      expect(await (await get(`/packages/${id}/versions.pkg`)).text()).toBe('one');
      expect((await get(`/packages/${id}/other.pkg`)).status).toBe(404);
      expect(await (await get('/Packages/versions.pkg')).text()).toBe('two');
    });

    it('may be small, empty, or asked for by HEAD', async () => {
      const reply = await get('/Packages/small.dmg');
      expect(await reply.text()).toBe('0123456789');
      expect(reply.headers.get('content-type')).toBe('application/x-apple-diskimage');
      expect((await bodyOf(await get('/Packages/empty.txt'))).length).toBe(0);
      const head = await get('/Packages/big.pkg', {}, 'HEAD');
      expect(head.headers.get('content-length')).toBe('3000000');
      expect(head.headers.get('repr-digest')).toContain('sha-256=:');
      expect((await bodyOf(head)).length).toBe(0);
    });

    it('are found whatever the normal form of the name', async () => {
      await upload('ü.pkg', small);
      for (const name of ['%C3%BC.pkg', 'u%CC%88.pkg']) expect((await get(`/Packages/${name}?x=1`)).status).toBe(200);
    });

    it.each(['/Packages/none.pkg', '/Packages/', '/Packages/a/b', '/packages/x/big.pkg', '/share/a%2Fb'])(
      'that are not there give 404: %s',
      async (path) => {
        const reply = await get(path);
        expect(reply.status).toBe(404);
        expect(await reply.json()).toMatchObject({ code: 'PACKAGE_NOT_FOUND' });
      },
    );

    it('refuses malformed names and other methods', async () => {
      expect((await get('/Packages/%ff')).status).toBe(400);
      const reply = await get('/Packages/big.pkg', {}, 'DELETE');
      expect(reply.status).toBe(405);
      expect(reply.headers.get('allow')).toBe('GET, HEAD');
      expect(await reply.json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
    });

    it('answers unknown paths in the same form', async () => {
      const reply = await get('/nothing/here');
      expect(reply.status).toBe(404);
      expect(await reply.json()).toMatchObject({ code: 'NOT_FOUND' });
    });
  });

  describe('ranges', () => {
    it.each([
      ['bytes=0-3', '0123', 'bytes 0-3/10'],
      ['bytes=7-', '789', 'bytes 7-9/10'],
      ['bytes=-2', '89', 'bytes 8-9/10'],
      ['bytes=-99', '0123456789', 'bytes 0-9/10'],
      ['bytes=5-99', '56789', 'bytes 5-9/10'],
      ['bytes=2-3,4-5', '2345', 'bytes 2-5/10'],
      ['BYTES=0-5,3-8', '012345678', 'bytes 0-8/10'],
      ['bytes=0-0,20-', '0', 'bytes 0-0/10'],
    ])('%s', async (range, text, contentRange) => {
      const reply = await get('/Packages/small.dmg', { Range: range });
      expect(reply.status).toBe(206);
      expect(await reply.text()).toBe(text);
      expect(reply.headers.get('content-range')).toBe(contentRange);
      expect(reply.headers.get('repr-digest')).toBe(`sha-256=:${sha256(small, 'base64')}:`);
      expect(reply.headers.get('etag')).toBe(etag);
    });

    it('comes in parts when there are several', async () => {
      const reply = await get('/Packages/small.dmg', { Range: 'bytes=8-9, 0-1 ,4-4' });
      expect(reply.status).toBe(206);
      const boundary = /^multipart\/byteranges; boundary=(.+)$/.exec(reply.headers.get('content-type') ?? '')?.[1];
      const body = await reply.text();
      expect(reply.headers.get('content-length')).toBe(String(body.length));
      const part = (range: string, text: string): string =>
        `\r\n--${boundary}\r\nContent-Type: application/x-apple-diskimage\r\nContent-Range: bytes ${range}/10\r\n\r\n${text}`;
      expect(body).toBe(`${part('8-9', '89')}${part('0-1', '01')}${part('4-4', '4')}\r\n--${boundary}--\r\n`);
    });

    it('takes large ranges of large files', async () => {
      const reply = await get('/Packages/big.pkg', { Range: 'bytes=1000-2500999' });
      expect((await bodyOf(reply)).equals(bytes.subarray(1000, 2_501_000))).toBe(true);
    });

    it.each(['bytes=10-', 'bytes=-0', `bytes=${Array.from({ length: 65 }, () => '0-0').join()}`])(
      '416: %.20s',
      async (range) => {
        const reply = await get('/Packages/small.dmg', { Range: range });
        expect(reply.status).toBe(416);
        expect(reply.headers.get('content-range')).toBe('bytes */10');
        expect(await reply.json()).toMatchObject({ code: 'RANGE_NOT_SATISFIABLE' });
      },
    );

    it.each(['bytes=5-2', 'bytes=', 'bytes=a-b', 'bytes=1', 'lines=1-2', 'bytes=-'])(
      'is ignored: %s',
      async (range) => {
        expect((await get('/Packages/small.dmg', { Range: range })).status).toBe(200);
      },
    );

    it('does not count for HEAD', async () => {
      const reply = await get('/Packages/small.dmg', { Range: 'bytes=0-1' }, 'HEAD');
      expect([reply.status, reply.headers.get('content-length')]).toEqual([200, '10']);
    });

    it('counts only when If-Range holds', async () => {
      const modified = (await get('/Packages/small.dmg')).headers.get('last-modified') ?? '';
      const status = async (ifRange: string): Promise<number> =>
        (await get('/Packages/small.dmg', { Range: 'bytes=0-1', 'If-Range': ifRange })).status;
      expect(await status(etag)).toBe(206);
      expect(await status(modified)).toBe(206);
      expect(await status(`W/${etag}`)).toBe(200);
      expect(await status('"other"')).toBe(200);
      expect(await status(new Date().toUTCString().replace(/\d\d:\d\d:\d\d/, '00:00:01'))).toBe(200);
    });
  });

  describe('conditions', () => {
    const past = 'Thu, 01 Jan 2015 00:00:00 GMT';
    const future = 'Thu, 01 Jan 2099 00:00:00 GMT';
    const cases: [Record<string, string>, number][] = [
      [{ 'If-None-Match': etag }, 304],
      [{ 'If-None-Match': `"a", W/${etag}` }, 304],
      [{ 'If-None-Match': '*' }, 304],
      [{ 'If-None-Match': '"a"', 'If-Modified-Since': future }, 200],
      [{ 'If-Modified-Since': future }, 200],
      [{ 'If-Modified-Since': past }, 200],
      [{ 'If-Modified-Since': 'nonsense' }, 200],
      [{ 'If-Match': etag }, 200],
      [{ 'If-Match': `W/${etag}` }, 412],
      [{ 'If-Match': '"a"' }, 412],
      [{ 'If-Unmodified-Since': past }, 412],
      [{ 'If-Unmodified-Since': future }, 412],
    ];
    it('on dates are true for exactly the date of the file', async () => {
      const modified = (await get('/Packages/small.dmg', {}, 'HEAD')).headers.get('last-modified') ?? '';
      const status = async (name: string, date: string) => (await get('/Packages/small.dmg', { [name]: date })).status;
      for (const [seconds, since, unmodified] of [
        [-1, 200, 412],
        [0, 304, 200],
        [1, 200, 412],
      ] as const) {
        const date = new Date(Date.parse(modified) + seconds * 1000).toUTCString();
        expect([await status('If-Modified-Since', date), await status('If-Unmodified-Since', date)]).toEqual([
          since,
          unmodified,
        ]);
      }
    });

    it.each(cases)('%j gives %i', async (headers, status) => {
      for (const method of ['GET', 'HEAD']) {
        const reply = await get('/Packages/small.dmg', headers, method);
        expect(reply.status).toBe(status);
        expect(reply.headers.get('etag')).toBe(status === 412 ? null : etag);
        await reply.arrayBuffer();
      }
    });
  });
}
