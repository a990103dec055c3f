import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { ServerMesh } from '../../support/server-mesh.js';
import { sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

let mesh: ServerMesh;
beforeAll(async () => (mesh = await ServerMesh.start(['a', 'b'], ['a-b'])));
afterAll(() => mesh.dispose());

const Uploaded = z.object({ id: z.string() });
const Found = z.object({
  package: z
    .object({
      state: z.string(),
      downloadPath: z.string().nullable(),
      versionPath: z.string().nullable(),
      supersededBy: z.object({ id: z.string() }).nullable(),
    })
    .nullable(),
});
const QUERY = 'query ($id: ID!) { package(id: $id) { state downloadPath versionPath supersededBy { id } } }';

const found = async (name: string, id: string) => (await mesh.ask(name, QUERY, Found, { id })).package;
const upload = async (name: string, content: string) =>
  Uploaded.parse(await (await mesh.server(name).put('same ü.pkg', Buffer.from(content))).json()).id;

/** Both refuse new connections and lose those that they have. */
function part(refusing: boolean): void {
  for (const proxy of mesh.proxies.values()) {
    proxy.refusing = refusing;
    if (refusing) proxy.cut(/(?:)/);
  }
}

it('a filename uploaded with different contents on both sides of a partition has one winner, and the loser is kept', async () => {
  part(true);
  const loser = await upload('a', 'of a');
  const winner = await upload('b', 'of b, later');
  expect(await mesh.server('a').servedDigest('same ü.pkg')).toBe(sha256(Buffer.from('of a')));
  part(false);

  for (const name of ['a', 'b']) {
    await waitFor(
      `both on ${name}`,
      async () =>
        (await found(name, loser))?.state === 'SUPERSEDED' && (await found(name, winner))?.state === 'AVAILABLE',
    );
    expect(await mesh.server(name).servedDigest('same ü.pkg')).toBe(sha256(Buffer.from('of b, later')));
    expect(await found(name, loser)).toMatchObject({ downloadPath: null, supersededBy: { id: winner } });
    expect(await found(name, winner)).toMatchObject({ supersededBy: null });

    const of = (id: string, headers = {}) =>
      fetch(`${mesh.server(name).url}/packages/${id}/${encodeURIComponent('same ü.pkg')}`, { headers });
    expect(new URL((await found(name, loser))?.versionPath ?? '', mesh.server(name).url).href).toBe(
      (await of(loser)).url,
    );
    expect(await (await of(winner)).text()).toBe('of b, later');
    const kept = await of(loser);
    expect(kept.headers.get('etag')).toBe(`"${sha256(Buffer.from('of a'))}"`);
    expect(kept.headers.get('repr-digest')).not.toBeNull();
    expect(await kept.text()).toBe('of a');
    const part = await of(loser, { range: 'bytes=3-3' });
    expect([part.status, await part.text()]).toEqual([206, 'a']);
    expect((await of(loser, { 'if-none-match': `"${sha256(Buffer.from('of a'))}"` })).status).toBe(304);

    const trail = await waitFor('the record', async () => {
      const entries = await mesh.trail(name, ['PackageSuperseded'], loser);
      return entries.length > 0 && entries;
    });
    expect(trail).toMatchObject([{ details: { packageId: loser, by: { packageId: winner } } }]);
    expect(await mesh.trail(name, ['PackageSuperseded'], winner)).toEqual([]);
  }
});

it('when the winner is removed, the loser is served again, everywhere', async () => {
  const { package: winner } = await mesh.ask(
    'a',
    '{ package(filename: "same ü.pkg") { id } }',
    z.object({ package: Uploaded }),
  );
  await mesh.ask('a', 'mutation ($id: ID!) { removePackage(id: $id) { id } }', z.unknown(), winner);
  for (const name of ['a', 'b']) {
    await waitFor(
      `the other on ${name}`,
      async () => (await mesh.server(name).servedDigest('same ü.pkg')) === sha256(Buffer.from('of a')),
    );
  }
});

const run = promisify(execFile);
/** Programs that ask by the date of the file that they have. */
const CLIENTS: Readonly<Record<string, (url: string, dir: string) => Promise<unknown>>> = {
  'curl -z': (url, dir) => run('curl', ['-fsS', '-R', '-z', 'dated.pkg', '-o', 'dated.pkg', url], { cwd: dir }),
  'wget -N': (url, dir) => run('wget', ['-q', '-N', url], { cwd: dir }),
};

it('curl -z and wget -N see each change, also within a second and back to an earlier content, on every server', async () => {
  const dirs = new Map<string, string>();
  for (const client of Object.keys(CLIENTS)) dirs.set(client, await mkdtemp(join(tmpdir(), 'odst-dated-')));
  const ids = new Map<string, string>();
  const put = async (content: string) => {
    const answer = await mesh.server('a').put('dated.pkg', Buffer.from(content));
    ids.set(content, Uploaded.parse(await answer.json()).id);
  };
  const change = (content: string, mutation: string) =>
    mesh.ask('a', `mutation ($id: ID!) { ${mutation} { id } }`, z.unknown(), { id: ids.get(content) });
  const urlOf = (name: string) => `${mesh.server(name).url}/Packages/dated.pkg`;
  const head = async (name: string, headers = {}) => {
    const { status, headers: told } = await fetch(urlOf(name), { method: 'HEAD', headers });
    return { status, etag: told.get('etag'), date: told.get('last-modified') ?? '' };
  };
  const dates: string[] = [];
  /** All clients end with this content, wherever they ask. All contents have the same length. */
  const expectShown = async (content: string) => {
    const { date, etag } = await head('a');
    expect(etag).toBe(`"${sha256(Buffer.from(content))}"`);
    dates.push(date);
    await waitFor('b to show the same', async () => {
      const shown = await head('b');
      return shown.etag === etag && shown.date === date;
    });
    for (const name of ['b', 'a']) {
      for (const [client, dir] of dirs) {
        await CLIENTS[client]?.(urlOf(name), dir);
        expect(await readFile(join(dir, 'dated.pkg'), 'utf8'), `${client} ${name}`).toBe(content);
      }
      expect((await head(name, { 'if-modified-since': date })).status).toBe(304);
    }
  };
  try {
    await put('content 1');
    await expectShown('content 1');
    await put('content 2');
    await expectShown('content 2');
    await change('content 2', 'removePackage(id: $id)');
    await expectShown('content 1');
    await put('content 2');
    await put('content 1');
    await expectShown('content 1');
    await put('content 3');
    await put('content 2');
    await expectShown('content 2');
    const seconds = dates.map((date) => Date.parse(date));
    expect(new Set(seconds).size).toBe(5);
    expect(seconds).toEqual(seconds.toSorted((a, b) => a - b));
  } finally {
    for (const dir of dirs.values()) await rm(dir, { recursive: true });
  }
});
