import * as fc from 'fast-check';
import { STAGES } from '../../../src/kernel/stage.js';
import { RemovePackage, SetPackageStage } from '../../../src/modules/packages/lifecycle/change-package.command.js';
import type { UploadedPackage } from '../../../src/modules/packages/upload/upload-package.command.js';
import { Content } from './mesh-disk.js';
import type { Mesh } from './mesh.js';

const index = fc.nat(1_000);
const stage = fc.constantFrom(...STAGES);
const filename = fc.constantFrom('a.pkg', 'b.pkg');
/** The same content is uploaded again and again, also after it was removed. */
const content = fc.constantFrom<[string, number]>(['one', 1], ['two', 3], ['large', 18], ['empty', 0]);
const opened = fc.nat(60);

export const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('stir' as const),
      link: index,
      server: index,
      most: fc.integer({ min: 1, max: 5 }),
      opened,
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('stirAll' as const), opened: fc.nat(300) }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('upload' as const), server: index, filename, content, stage, opened }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('setStage' as const), server: index, package: index, stage, opened }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), server: index, package: index, opened }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill' as const), server: index, opened }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('boot' as const), server: index, opened }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const), link: index, opened }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('heal' as const), link: index, opened }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rewind' as const), link: index, saves: fc.nat(4), opened }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(90_000), opened }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('serverStage' as const), server: index, stage, opened }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('repeat' as const), link: index, message: index, opened }) },
);
export type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
export type StepKind = Step['kind'];

/** What happens, without some kinds of it. */
export const steps = (without: readonly StepKind[]): fc.Arbitrary<Step[]> =>
  fc.array(
    step.filter(({ kind }) => !without.includes(kind)),
    { maxLength: 50, size: 'max' },
  );

/** An upload that was answered. */
export interface Answered extends Pick<UploadedPackage, 'id'> {
  readonly server: number;
}

/** Begins the step and opens the gate for a while. */
export async function take(mesh: Mesh, step: Step, answered: Answered[]): Promise<void> {
  begin(mesh, step, answered);
  if (step.kind === 'boot') await bootIfAway(mesh, step.server);
  await mesh.gate.open(step.opened);
}

/** Longer than any clock is off, so that what was put off is taken; then longer than files of withdrawn replicas stay. */
export async function restLonger(mesh: Mesh): Promise<void> {
  await mesh.idle();
  await mesh.rest();
  for (const minutes of [15, 65]) {
    mesh.now += minutes * 60_000;
    await mesh.rest();
  }
}

async function bootIfAway(mesh: Mesh, server: number): Promise<void> {
  if (!mesh.server(server).process) await mesh.server(server).boot();
}

function begin(mesh: Mesh, step: Step, answered: Answered[]): void {
  switch (step.kind) {
    case 'stirAll':
      return mesh.stir();
    case 'stir':
      return mesh.stir([mesh.link(step.link)], [mesh.server(step.server)], step.most);
    case 'upload':
      return mesh.begin(step.server, async (process) => {
        const { id } = await process.upload(step.filename, new Content(...step.content), step.stage);
        answered.push({ id, server: step.server });
      });
    case 'setStage':
      return onPackage(mesh, step, (id) => new SetPackageStage(id, step.stage));
    case 'remove':
      return onPackage(mesh, step, (id) => new RemovePackage(id));
    case 'serverStage':
      return mesh.begin(step.server, (process) => process.changeStage(step.stage));
    case 'kill':
      return mesh.server(step.server).kill();
    case 'cut':
      return mesh.link(step.link).cut();
    case 'heal':
      mesh.link(step.link).isCut = false;
      return;
    case 'rewind':
      return mesh.link(step.link).rewind(step.saves);
    case 'repeat':
      return mesh.track(mesh.link(step.link).repeat(step.message));
    case 'pass':
      mesh.now += step.ms;
      return;
    case 'boot':
      return;
  }
}

function onPackage(mesh: Mesh, step: { server: number; package: number }, command: (id: string) => object): void {
  const known = mesh.server(step.server).shown().packages;
  const chosen = known[step.package % Math.max(1, known.length)];
  if (chosen) mesh.begin(step.server, (process) => process.bus.execute(command(chosen.id)));
}
