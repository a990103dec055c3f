import { Logger } from '@nestjs/common';
import { expect, it } from 'vitest';
import { SMALL_PACKAGE_CHUNKS } from '../../src/modules/packages/contracts/known-package.js';
import { RemovePackage, SetPackageStage } from '../../src/modules/packages/lifecycle/change-package.command.js';
import { disagreements } from '../support/mesh/agreement.js';
import { Mesh } from '../support/mesh/mesh.js';
import { Content } from '../support/mesh/mesh-disk.js';

Logger.overrideLogger(false);

type Edges = readonly (readonly [number, number])[];

/**
 * In each direction of each edge, an item says that a copy is there. Of a package that takes long, who fetches it says
 * so before, and once more when its way is complete only afterwards.
 */
const ITEMS_A_PACKAGE = 1;
const MOST_OF_A_LARGE_ONE = 3;
/** A change is told by each server that learns of it, and a server whose copy ended says that too. */
const MOST_A_CHANGE = 2;

const SERVERS = 6;
const all = Array.from({ length: SERVERS }, (_, i) => i);
const layouts: Record<string, Edges> = {
  chain: all.slice(1).map((i) => [i - 1, i]),
  ring: all.map((i) => [i, (i + 1) % SERVERS]),
  star: all.slice(1).map((i) => [0, i]),
  'full mesh': all.flatMap((i) => all.slice(i + 1).map((j) => [i, j] as const)),
};

const sentOf = (mesh: Mesh, isWanted: (chunkCount: number) => boolean): number =>
  mesh.links.flatMap((link) => link.sent).filter(({ item }) => isWanted(item.facts.chunkCount)).length;
const delivered = (mesh: Mesh): number => mesh.links.reduce((sum, link) => sum + link.delivered, 0);
const downloads = (mesh: Mesh): number[] => mesh.servers.flatMap((server) => [...server.downloaded.values()]);

async function start(edges: Edges): Promise<Mesh> {
  return Mesh.start({ seed: 1, servers: all.map(() => ({ stage: 'Dev', clockOffMs: 0 })), edges });
}

it.each(Object.entries(layouts))(
  'in a %s each package is told of once in each direction, a large one a few times, and downloaded once by each',
  async (_, edges) => {
    const mesh = await start(edges);
    for (const [i, chunks] of [3, 1, 0, 18].entries())
      mesh.begin(i, (process) => process.upload(`${i}.pkg`, new Content(`${i}`, chunks), 'Dev'));
    await mesh.rest();
    expect(disagreements(mesh, [])).toEqual([]);
    const directions = 2 * edges.length;
    const isSmall = (chunkCount: number): boolean => chunkCount <= SMALL_PACKAGE_CHUNKS;
    expect(sentOf(mesh, isSmall)).toBe(3 * ITEMS_A_PACKAGE * directions);
    const large = sentOf(mesh, (chunkCount) => !isSmall(chunkCount));
    expect(large).toBeGreaterThanOrEqual(ITEMS_A_PACKAGE * directions);
    expect(large).toBeLessThanOrEqual(MOST_OF_A_LARGE_ONE * directions);
    expect(downloads(mesh).reduce((sum, chunks) => sum + chunks, 0)).toBe((SERVERS - 1) * (3 + 1 + 0 + 18));
  },
);

it.each(Object.entries(layouts))('in a %s a change is not echoed', async (_, edges) => {
  const mesh = await start(edges);
  mesh.begin(0, (process) => process.upload('a.pkg', new Content('a', 3), 'Dev'));
  await mesh.rest();
  const id = mesh.server(0).shown().packages[0]?.id ?? '';
  for (const command of [new SetPackageStage(id, 'Prod'), new RemovePackage(id)]) {
    const before = delivered(mesh);
    mesh.begin(SERVERS - 1, (process) => process.bus.execute(command));
    await mesh.rest();
    expect(disagreements(mesh, [])).toEqual([]);
    expect(delivered(mesh) - before).toBeGreaterThanOrEqual(edges.length);
    expect(delivered(mesh) - before).toBeLessThanOrEqual(MOST_A_CHANGE * 2 * edges.length);
  }
});
