import { Logger } from '@nestjs/common';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { stampServer } from '../../src/kernel/hybrid-clock.js';
import { isUpTo, type Stage, STAGES } from '../../src/kernel/stage.js';
import { ALL_RIGHTS, coversFilename, type PeerRights } from '../../src/modules/peers/contracts/peer-rights.js';
import { disagreements } from '../support/mesh/agreement.js';
import { lie, tellLie } from '../support/mesh/lies.js';
import { Mesh, type Plan } from '../support/mesh/mesh.js';
import type { MeshServer } from '../support/mesh/mesh-server.js';
import { type Answered, restLonger, step, take } from '../support/mesh/steps.js';

Logger.overrideLogger(false);

/** Of each property; `MESH_RUNS=20000 MESH_SEED=7` looks longer, and elsewhere. */
const RUNS = Number(process.env['MESH_RUNS'] ?? 40);
const SEED = Number(process.env['MESH_SEED'] ?? 20261201);
const TIMEOUT_MS = 60_000 + RUNS * 500;

/** No script publishes such a filename. */
const NO_RIGHTS: PeerRights = { ...ALL_RIGHTS, filenames: ['never.pkg'] };

const someRights: fc.Arbitrary<PeerRights> = fc.record({
  publishUpTo: fc.constantFrom(...STAGES),
  filenames: fc.constantFrom([], ['a.pkg'], ['b.*']),
  mayTakeOver: fc.boolean(),
  mayChangeOthers: fc.boolean(),
});

interface Scene {
  readonly plan: Plan;
  /** Indexes of the servers that lie. */
  readonly liars: readonly number[];
}

/** Honest servers in a random tree, and liars that each know one to three of them, and perhaps each other. */
const scenes = (rights: fc.Arbitrary<PeerRights>, stages: readonly Stage[]): fc.Arbitrary<Scene> =>
  fc
    .record({
      seed: fc.nat(),
      honest: fc.array(fc.record({ stage: fc.constantFrom(...stages), parent: fc.nat(7) }), {
        minLength: 2,
        maxLength: 5,
      }),
      liars: fc.array(
        fc.record({
          stage: fc.constantFrom(...stages),
          knows: fc.array(fc.nat(7), { minLength: 1, maxLength: 3 }),
          rights,
        }),
        { minLength: 1, maxLength: 2 },
      ),
    })
    .map(({ seed, honest, liars }) => {
      const tree = honest.slice(1).map(({ parent }, i) => [parent % (i + 1), i + 1] as const);
      const ofLiars = liars.flatMap(({ knows }, i) =>
        [...new Set(knows.map((index) => index % (honest.length + i)))].map(
          (known) => [known, honest.length + i] as const,
        ),
      );
      const servers = [...honest, ...liars].map(({ stage }) => ({ stage, clockOffMs: 0 }));
      const given = new Map(liars.map((liar, i) => [honest.length + i, liar.rights]));
      return { plan: { seed, servers, edges: [...tree, ...ofLiars], rights: given }, liars: [...given.keys()] };
    });

const scripts = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: step.filter(({ kind }) => kind !== 'serverStage' && kind !== 'repeat') },
    { weight: 2, arbitrary: lie },
  ),
  { maxLength: 50, size: 'max' },
);
type Script = typeof scripts extends fc.Arbitrary<infer S> ? S : never;

async function run({ plan, liars }: Scene, script: Script) {
  const mesh = await Mesh.start(plan);
  const answered: Answered[] = [];
  const lying = new Set(liars.map((index) => mesh.server(index).id));
  for (const next of script) {
    if (next.kind !== 'lie') await take(mesh, next, answered);
    else {
      tellLie(mesh, next, lying);
      await mesh.gate.open(next.opened);
    }
  }
  await restLonger(mesh);
  const honest = mesh.servers.filter(({ id }) => !lying.has(id));
  return { mesh, answered, honest, lying };
}

/** The changes that a server counts, each with the server that made it. */
const changesOn = (server: MeshServer) =>
  server
    .shown()
    .packages.flatMap(({ filename, stage, stageStamp, publication, removal }) => [
      { what: `published ${filename}`, filename, by: stampServer(publication), stage: null },
      { what: `set ${filename} to ${stage}`, filename, by: stampServer(stageStamp), stage },
      ...(removal === null ? [] : [{ what: `removed ${filename}`, filename, by: stampServer(removal), stage: null }]),
    ]);

const check = (property: fc.IAsyncProperty<[Scene, Script]>) =>
  fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: false, interruptAfterTimeLimit: TIMEOUT_MS - 10_000 });

it.each([
  ['one stage', ['Dev'] as const],
  ['several stages', STAGES],
])(
  'servers of %s agree as if liars without rights were not there',
  async (_name, stages) => {
    const property = fc.asyncProperty(scenes(fc.constant(NO_RIGHTS), stages), scripts, async (scene, script) => {
      const { mesh, answered, honest, lying } = await run(scene, script);
      expect(disagreements(mesh, answered, { among: honest })).toEqual([]);
      expect(honest.flatMap(changesOn).filter(({ by }) => lying.has(by))).toEqual([]);
    });
    await check(property);
  },
  TIMEOUT_MS,
);

it(
  'no server counts a change beyond the rights of who made it, and differs from others only in what is refused',
  async () => {
    const property = fc.asyncProperty(scenes(someRights, ['Dev']), scripts, async (scene, script) => {
      const { mesh, answered, honest } = await run(scene, script);
      const rightsOf = new Map(scene.liars.map((i) => [mesh.server(i).id, scene.plan.rights?.get(i) ?? ALL_RIGHTS]));
      const beyond = honest.flatMap(changesOn).filter(({ by, filename, stage }) => {
        const rights = rightsOf.get(by);
        return rights && (!coversFilename(rights, filename) || (stage !== null && !isUpTo(rights.publishUpTo, stage)));
      });
      expect(beyond).toEqual([]);
      expect(disagreements(mesh, answered, { among: honest, allowsRefused: true })).toEqual([]);
    });
    await check(property);
  },
  TIMEOUT_MS,
);

it(
  'all agree once every server has all rights and what was refused is judged again',
  async () => {
    const property = fc.asyncProperty(scenes(someRights, ['Dev']), scripts, async (scene, script) => {
      const { mesh, answered } = await run(scene, script);
      for (const { rights } of mesh.servers) rights.giveAll();
      for (const link of mesh.links) link.rewind(null);
      await restLonger(mesh);
      expect(disagreements(mesh, answered)).toEqual([]);
    });
    await check(property);
  },
  TIMEOUT_MS,
);
