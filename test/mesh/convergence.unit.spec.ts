import { Logger } from '@nestjs/common';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { STAGES, type Stage } from '../../src/kernel/stage.js';
import { disagreements } from '../support/mesh/agreement.js';
import { Mesh, type Plan } from '../support/mesh/mesh.js';
import { type Answered, restLonger, type Step, steps, take } from '../support/mesh/steps.js';

Logger.overrideLogger(false);

/** Of each property; `MESH_RUNS=20000 MESH_SEED=7` looks longer, and elsewhere. */
const RUNS = Number(process.env['MESH_RUNS'] ?? 70);
const SEED = Number(process.env['MESH_SEED'] ?? 20261124);
const TIMEOUT_MS = 60_000 + RUNS * 500;
const OFF_BY_MS = 4 * 60_000;

/** A random tree, so that all are connected, and some more edges. */
const plans = (stages: readonly Stage[]): fc.Arbitrary<Plan> =>
  fc
    .record({
      seed: fc.nat(),
      servers: fc.array(
        fc.record({
          stage: fc.constantFrom(...stages),
          clockOffMs: fc.integer({ min: -OFF_BY_MS, max: OFF_BY_MS }),
          parent: fc.nat(7),
        }),
        { minLength: 2, maxLength: 8 },
      ),
      more: fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 6 }),
    })
    .map(({ seed, servers, more }) => {
      const tree = servers.slice(1).map(({ parent }, i) => [i + 1, parent % (i + 1)] as const);
      const extra = more.map(([a, b]) => [a % servers.length, b % servers.length] as const);
      const all = new Map(
        [...tree, ...extra]
          .filter(([a, b]) => a !== b)
          .map(([a, b]) => [[Math.min(a, b), Math.max(a, b)].join(), [a, b] as const]),
      );
      return { seed, servers, edges: [...all.values()] };
    });

async function run(plan: Plan, script: readonly Step[]): Promise<{ mesh: Mesh; answered: Answered[] }> {
  const mesh = await Mesh.start(plan);
  const answered: Answered[] = [];
  for (const step of script) await take(mesh, step, answered);
  await restLonger(mesh);
  return { mesh, answered };
}

const check = (property: fc.IAsyncProperty<[Plan, Step[]]>) =>
  fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: false, interruptAfterTimeLimit: TIMEOUT_MS - 10_000 });

it(
  'servers of one stage come to agree on everything, whatever happens on the way',
  async () => {
    const property = fc.asyncProperty(plans(['Dev']), steps(['serverStage', 'repeat']), async (plan, script) => {
      const { mesh, answered } = await run(plan, script);
      expect(disagreements(mesh, answered)).toEqual([]);
    });
    await check(property);
  },
  TIMEOUT_MS,
);

it(
  'servers of several stages agree with those that they share packages with',
  async () => {
    const property = fc.asyncProperty(plans(STAGES), steps(['repeat']), async (plan, script) => {
      const { mesh, answered } = await run(plan, script);
      expect(disagreements(mesh, answered)).toEqual([]);
    });
    await check(property);
  },
  TIMEOUT_MS,
);

it(
  'messages that come twice and out of order do no harm that reading a feed again does not mend',
  async () => {
    const property = fc.asyncProperty(plans(STAGES), steps([]), async (plan, script) => {
      const { mesh, answered } = await run(plan, script);
      for (const link of mesh.links) link.rewind(null);
      await mesh.rest();
      expect(disagreements(mesh, answered)).toEqual([]);
    });
    await check(property);
  },
  TIMEOUT_MS,
);
