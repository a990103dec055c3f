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
