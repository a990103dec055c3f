import { Logger } from '@nestjs/common';
import { expect, it } from 'vitest';
import { disagreements } from '../support/mesh/agreement.js';
import { Mesh, type Plan } from '../support/mesh/mesh.js';
import { take, type Answered, type Step } from '../support/mesh/steps.js';

Logger.overrideLogger(false);

/** A chain: 1 stands between 0 and 2. */
const plan = (seed: number): Plan => ({
  seed,
  servers: [0, 1, 2].map(() => ({ stage: 'Dev', clockOffMs: 0 })),
  edges: [
    [1, 0],
    [1, 2],
  ],
});

/** What went wrong in some order of things, found by the properties; under many orders, as code moves them. */
const cases: Record<string, readonly Step[]> = {
  'what is uploaded here while it is being fetched leaves nothing of the fetch behind': [
    { kind: 'upload', server: 1, filename: 'a.pkg', content: ['two', 3], stage: 'Dev', opened: 30 },
    { kind: 'stirAll', opened: 60 },
    { kind: 'upload', server: 0, filename: 'a.pkg', content: ['two', 3], stage: 'Dev', opened: 0 },
  ],
  'a removal that comes before the package itself, from a peer that did not hear of it': [
    { kind: 'upload', server: 2, filename: 'a.pkg', content: ['two', 3], stage: 'Dev', opened: 20 },
    { kind: 'upload', server: 0, filename: 'a.pkg', content: ['two', 3], stage: 'Dev', opened: 20 },
    { kind: 'remove', server: 0, package: 0, opened: 20 },
    { kind: 'stir', link: 0, server: 1, most: 5, opened: 60 },
  ],
  'a demotion that a server for later stages is told of before it knows the package': [
    { kind: 'serverStage', server: 1, stage: 'Prod', opened: 30 },
    { kind: 'upload', server: 2, filename: 'a.pkg', content: ['one', 1], stage: 'Prod', opened: 20 },
    { kind: 'upload', server: 0, filename: 'a.pkg', content: ['one', 1], stage: 'Dev', opened: 20 },
    { kind: 'stir', link: 0, server: 1, most: 5, opened: 60 },
  ],
  'an upload of an earlier stage than the server has while it is being fetched': [
    { kind: 'upload', server: 0, filename: 'a.pkg', content: ['large', 18], stage: 'Prod', opened: 20 },
    { kind: 'serverStage', server: 1, stage: 'Prod', opened: 20 },
    { kind: 'stirAll', opened: 60 },
    { kind: 'upload', server: 1, filename: 'a.pkg', content: ['large', 18], stage: 'Dev', opened: 0 },
  ],
  'an upload between a removal and the withdrawal that it causes': [
    { kind: 'upload', server: 0, filename: 'a.pkg', content: ['two', 3], stage: 'Dev', opened: 20 },
    { kind: 'stirAll', opened: 40 },
    { kind: 'remove', server: 1, package: 0, opened: 4 },
    { kind: 'stirAll', opened: 10 },
    { kind: 'upload', server: 1, filename: 'a.pkg', content: ['two', 3], stage: 'Dev', opened: 0 },
  ],
  'a publication elsewhere right after a removal': [
    { kind: 'upload', server: 0, filename: 'a.pkg', content: ['empty', 0], stage: 'Dev', opened: 20 },
    { kind: 'stirAll', opened: 80 },
    { kind: 'remove', server: 0, package: 0, opened: 20 },
    { kind: 'stir', link: 0, server: 0, most: 1, opened: 10 },
    { kind: 'upload', server: 0, filename: 'a.pkg', content: ['empty', 0], stage: 'Dev', opened: 20 },
  ],
  'a demotion while chunks are being fetched': [
    { kind: 'upload', server: 0, filename: 'a.pkg', content: ['large', 18], stage: 'Prod', opened: 20 },
    { kind: 'serverStage', server: 1, stage: 'Prod', opened: 20 },
    { kind: 'stirAll', opened: 60 },
    { kind: 'setStage', server: 1, package: 0, stage: 'Dev', opened: 2 },
    { kind: 'stirAll', opened: 30 },
  ],
  'a removal between the stamp of an upload and its record': [
    { kind: 'upload', server: 0, filename: 'a.pkg', content: ['one', 1], stage: 'Dev', opened: 20 },
    { kind: 'upload', server: 0, filename: 'a.pkg', content: ['one', 1], stage: 'Dev', opened: 4 },
    { kind: 'remove', server: 0, package: 0, opened: 0 },
    { kind: 'stirAll', opened: 4 },
  ],
};

it.each(Object.entries(cases))(
  '%s',
  async (_, steps) => {
    for (let seed = 0; seed < 40; seed++) {
      const mesh = await Mesh.start(plan(seed));
      const answered: Answered[] = [];
      for (const step of steps) await take(mesh, step, answered);
      await mesh.idle();
      await mesh.rest();
      expect(disagreements(mesh, answered)).toEqual([]);
    }
  },
  60_000,
);

it('what was postponed is told again, although a report about it was read after another package', async () => {
  // The stamps of the first server are a millisecond too far ahead for the second one.
  const clocks = [106_080, -193_921, 0, 0];
  for (let seed = 0; seed < 40; seed++) {
    const mesh = await Mesh.start({
      seed,
      servers: clocks.map((clockOffMs) => ({ stage: 'Dev', clockOffMs })),
      edges: [
        [1, 0],
        [2, 0],
        [3, 0],
      ],
    });
    const answered: Answered[] = [];
    for (const step of [
      { kind: 'upload', server: 0, filename: 'a.pkg', content: ['one', 1], stage: 'Dev', opened: 0 },
      { kind: 'stir', link: 0, server: 0, most: 1, opened: 0 },
      { kind: 'upload', server: 2, filename: 'a.pkg', content: ['large', 18], stage: 'Dev', opened: 0 },
    ] as const satisfies readonly Step[])
      await take(mesh, step, answered);
    await mesh.idle();
    await mesh.rest();
    mesh.now += 15 * 60_000;
    await mesh.rest();
    expect(disagreements(mesh, answered)).toEqual([]);
  }
}, 60_000);
