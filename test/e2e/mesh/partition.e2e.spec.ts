import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { RealMesh } from '../../support/real-mesh.js';
import { sha256 } from '../../support/server-under-test.js';
import { waitFor } from '../../support/wait-for.js';

const MIB = 1024 * 1024;
const Uploaded = z.object({ id: z.string() });
const REMOVE = 'mutation ($id: ID!) { removePackage(id: $id) { id } }';

/** Two pairs with one bridge between them: 0-1, 1-2, 2-3. */
let mesh: RealMesh;
beforeAll(async () => {
  mesh = await RealMesh.start(4, [
    [0, 1],
    [1, 2],
    [2, 3],
  ]);
});
afterAll(() => mesh.dispose());

async function upload(server: number, filename: string, bytes: Buffer): Promise<string> {
  return Uploaded.parse(await (await mesh.at(server).put(filename, bytes)).json()).id;
}

it('what happened on both sides of a dead link is merged when it lives again', { timeout: 400_000 }, async () => {
  const shared = randomBytes(MIB);
  const doomed = await upload(0, 'removed-there.pkg', shared);
  await mesh.converges(new Map([['removed-there.pkg', sha256(shared)]]));

  mesh.part(1, 2);
  const [left, right, late] = [randomBytes(3 * MIB), randomBytes(20 * MIB), randomBytes(2 * MIB)];
  await upload(0, 'left.pkg', left);
  await upload(3, 'right.pkg', right);
  await upload(0, 'same-name.pkg', randomBytes(MIB));
  await waitFor('both sides to know their own', async () => {
    return (await mesh.at(1).download('same-name.pkg')).ok && (await mesh.at(2).download('right.pkg')).ok;
  });
  await upload(3, 'same-name.pkg', late);
  await (await mesh.at(0).client()).ask(REMOVE, z.unknown(), { id: doomed });
  await waitFor('the removal on its side', async () => (await mesh.at(1).download('removed-there.pkg')).status === 404);
  expect((await mesh.at(2).download('left.pkg')).status).toBe(404);
  expect((await mesh.at(1).download('right.pkg')).status).toBe(404);
  expect(await mesh.at(3).servedDigest('removed-there.pkg')).toBe(sha256(shared));

  mesh.heal(1, 2);
  const files = { 'left.pkg': left, 'right.pkg': right, 'same-name.pkg': late };
  await mesh.converges(
    new Map([
      ['removed-there.pkg', null],
      ...Object.entries(files).map(([name, bytes]) => [name, sha256(bytes)] as const),
    ]),
  );
});
