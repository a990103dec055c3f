import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chainOf, RealMesh } from '../../support/real-mesh.js';
import { seeded } from '../../support/seeded.js';
import { sha256 } from '../../support/server-under-test.js';

const MIB = 1024 * 1024;
const ROUNDS = 20;
const SEED = Number(process.env['MESH_SEED'] || Date.now() % 1_000_000);

let mesh: RealMesh;
beforeAll(async () => {
  mesh = await RealMesh.start(4, chainOf(4));
});
afterAll(() => mesh.dispose());

/** One upload somewhere, and a SIGKILL somewhere at a random moment after it was begun. */
async function round(number: number, random: () => number, files: Map<string, string | null>): Promise<void> {
  const pick = (count: number): number => Math.floor(random() * count);
  const [uploads, dies, milliseconds] = [pick(4), pick(4), pick(400)];
  const filename = `round-${number}.pkg`;
  const bytes = randomBytes(1 + pick(24 * MIB));
  const answer = mesh
    .at(uploads)
    .put(filename, bytes)
    .catch(() => null);
  // The moment is what is random here: nothing is waited for.
  await delay(milliseconds);
  await mesh.at(dies).kill();
  const restarted = mesh.at(dies).start();
  const response = await answer;
  await restarted;
  if (response?.ok) files.set(filename, sha256(bytes));
}

it(`loses no package that was answered, and leaves nothing behind (seed ${SEED})`, { timeout: 600_000 }, async () => {
  const random = seeded(SEED);
  const files = new Map<string, string | null>();
  for (let number = 0; number < ROUNDS; number++) await round(number, random, files);
  expect(files.size).toBeGreaterThan(ROUNDS / 3);
  await mesh.converges(files);
});
