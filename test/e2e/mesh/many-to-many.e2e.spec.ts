import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { ServerMesh } from '../../support/server-mesh.js';
import { sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
const NAMES = ['a', 'b', 'c', 'd'];
const LINKS = 8;
/** That a copy is there, and perhaps before that it is on its way. */
const MOST_MESSAGES = 2;

let mesh: ServerMesh;
beforeAll(async () => (mesh = await ServerMesh.start(NAMES, ['a-b', 'b-c', 'c-d', 'd-a'])));
afterAll(() => mesh.dispose());

const Uploaded = z.object({ id: z.string() });

/** Counts the items that all feeds send from now on. */
function countItems(): () => number {
  let items = 0;
  for (const proxy of mesh.proxies.values()) {
    proxy.tamper = (bytes, head) => {
      if (head.includes('/peer/v1/feed')) items += bytes.toString('latin1').split('\ndata: ').length - 1;
      return bytes;
    };
  }
  return () => items;
}

it('brings what is uploaded anywhere in a ring to all, each byte once, and tells of it no more than it must', async () => {
  const items = countItems();
  const packages = await Promise.all(
    NAMES.map(async (name, i) => {
      const bytes = randomBytes((2 + i) * MIB + 17);
      const { id } = Uploaded.parse(await (await mesh.server(name).put(`from-${name}.pkg`, bytes)).json());
      return { id, filename: `from-${name}.pkg`, digest: sha256(bytes), chunks: 3 + i, origin: name };
    }),
  );
  for (const { filename, digest } of packages) {
    for (const name of NAMES)
      await waitFor(`${filename} on ${name}`, async () => (await mesh.server(name).servedDigest(filename)) === digest);
  }
  for (const { id, chunks, origin } of packages) {
    for (const name of NAMES) {
      const counts = (await mesh.trail(name, ['ChunksVerified'], id)).map(({ details }) =>
        z.number().parse(details['count']),
      );
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(name === origin ? 0 : chunks);
    }
  }
  await waitFor('every copy to be known to all neighbours', async () => {
    const known = await Promise.all(
      NAMES.map(
        async (name) =>
          new Set(
            (await mesh.trail(name, ['ReplicaReported'])).map(
              ({ summary, details }) => `${summary} ${String(details['packageId'])}`,
            ),
          ).size,
      ),
    );
    return known.every((count) => count >= packages.length * 2);
  });
  expect(items()).toBeGreaterThanOrEqual(packages.length * LINKS);
  expect(items()).toBeLessThanOrEqual(packages.length * LINKS * MOST_MESSAGES);
});
