import { Logger } from '@nestjs/common';
import { expect, it } from 'vitest';
import { disagreements } from '../support/mesh/agreement.js';
import { Mesh, type Plan } from '../support/mesh/mesh.js';
import { take, type Answered, type Step } from '../support/mesh/steps.js';

Logger.overrideLogger(false);

const plan = (seed: number): Plan => ({
  seed,
  servers: [0, 1].map(() => ({ stage: 'Dev', clockOffMs: 0 })),
  edges: [[1, 0]],
});

/** What went wrong in some order of things, found by the properties; under many orders, as code moves them. */
const cases: Record<string, readonly Step[]> = {
  'what is uploaded here while it is being fetched leaves nothing of the fetch behind': [
    { kind: 'upload', server: 1, filename: 'a.pkg', content: ['two', 3], stage: 'Dev', opened: 30 },
    { kind: 'stirAll', opened: 60 },
    { kind: 'upload', server: 0, filename: 'a.pkg', content: ['two', 3], stage: 'Dev', opened: 0 },
  ],
  'a removal between the stamp of an upload and its record': [
    { kind: 'upload', server: 0, filename: 'a.pkg', content: ['one', 1], stage: 'Dev', opened: 20 },
    { kind: 'upload', server: 0, filename: 'a.pkg', content: ['one', 1], stage: 'Dev', opened: 4 },
    { kind: 'remove', server: 0, package: 0, opened: 0 },
    { kind: 'stirAll', opened: 4 },
  ],
};

it.each(Object.entries(cases))('%s', async (_, steps) => {
  for (let seed = 0; seed < 40; seed++) {
    const mesh = await Mesh.start(plan(seed));
    const answered: Answered[] = [];
    for (const step of steps) await take(mesh, step, answered);
    await mesh.idle();
    await mesh.rest();
    expect(disagreements(mesh, answered)).toEqual([]);
  }
}, 60_000);
