import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { World } from '../engine/world.js';
import { makeMesh, type Mesh } from '../mesh/mesh.js';
import { SHAPES } from '../mesh/graph.js';
import type { Change, PackageLife, Schedule } from '../mesh/scenario.js';
import { CompactRules } from './compact-rules.js';
import { DeciderRules } from './decider-rules.js';
import type { Rules } from './rules.js';

const SCHEDULE: Schedule = { interval: 10, changesFrom: 1_000, returnsFrom: 2_000 };
const stage = fc.nat(2);

const scene = fc.record({
  shape: fc.constantFrom(...SHAPES),
  servers: fc.integer({ min: 2, max: 8 }),
  seed: fc.nat(),
  stages: fc.array(stage, { minLength: 8, maxLength: 8 }),
  away: fc.array(fc.record({ server: fc.nat(7), from: fc.nat(1_500), length: fc.nat(1_500) }), { maxLength: 2 }),
  /** Milliseconds between changes: many come while the one before is on its way. */
  changes: fc.array(
    fc.record({
      kind: fc.constantFrom('upload', 'stage', 'remove'),
      stage,
      server: fc.nat(7),
      wait: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 900_000 })),
    }),
    { minLength: 1, maxLength: 8 },
  ),
});
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

function meshOf({ shape, servers, seed, stages, away }: Scene): Mesh {
  const mesh = makeMesh({ shape, servers, degree: 3, seed });
  stages.slice(0, servers).forEach((stage, i) => (mesh.stage[i] = stage));
  for (const { server, from, length } of away) {
    mesh.awayFrom[server % servers] = from;
    mesh.awayUntil[server % servers] = from + length;
  }
  return mesh;
}

function lifeOf({ servers, changes }: Scene): PackageLife {
  let at = 0;
  const timed = changes.map(({ kind, stage, server, wait }, i): Change => {
    at += wait / 1000;
    const common = { at, server: server % servers };
    return i === 0
      ? { ...common, kind: 'upload', stage }
      : kind === 'remove'
        ? { ...common, kind }
        : { ...common, kind, stage };
  });
  return { size: 3_000_000, changes: timed };
}

function outcomeOf(mesh: Mesh, life: PackageLife, rulesIn: (world: World) => Rules) {
  const world = new World(mesh, SCHEDULE);
  const rules = rulesIn(world);
  world.live(life, rules, () => undefined);
  const servers = Array.from({ length: mesh.servers }, (_, s) => ({
    item: rules.itemOf(s),
    pending: rules.isPending(s),
  }));
  return { servers, traffic: world.traffic, at: world.changedAt };
}

describe('the compact rules', () => {
  it('end in the same state after the same messages as the deciders of the program', () => {
    const same = fc.property(scene, (scene) => {
      const [mesh, life] = [meshOf(scene), lifeOf(scene)];
      const compact = outcomeOf(mesh, life, (world) => {
        const rules = new CompactRules(mesh, world);
        rules.begin(life);
        return rules;
      });
      expect(compact).toEqual(outcomeOf(mesh, life, (world) => new DeciderRules(mesh, life, world)));
    });
    fc.assert(same, { numRuns: 300 });
  }, 60_000);
});
