import { STAGES } from '../../../src/kernel/stage.js';
import type { PackageFacts } from '../../../src/modules/packages/contracts/package-facts.js';
import type { Publication } from '../../../src/modules/packages/lifecycle/package.decider.js';
import type { ReplicaContent } from '../../../src/modules/replication/replica/replica.state.js';
import type { PackageLife } from '../mesh/scenario.js';
import { firstIn, pack, publicationIn, removalIn, stageIn } from './rules.js';

const isoSeconds = (at: number): string => `${new Date(Math.floor(at) * 1000).toISOString().slice(0, 19)}Z`;

/** Translates between the numbers of changes and what the program has for them: stamps, times and facts. */
export class Registers {
  /** The same for every package: one chunk. */
  readonly content: ReplicaContent = { packageId: 'p', filename: 'p.pkg', size: 1, sha256: '00', chunkCount: 1 };

  constructor(private readonly life: PackageLife) {}

  /** @throws RangeError for a number that is none */
  of(number: number) {
    const change = this.life.changes[number - 1];
    if (!change) throw new RangeError(`There is no change ${number}`);
    const stamp = `${number.toString(16).padStart(12, '0')}-0000-${change.server}`;
    const stage = change.kind === 'remove' ? undefined : STAGES[change.stage];
    return { stamp, stage: stage ?? 'Prod', second: isoSeconds(change.at) } as const;
  }

  publication(number: number): Publication {
    const { stamp, stage, second } = this.of(number);
    return {
      ...this.content,
      sha1: '11',
      chunkSize: 1,
      stage,
      stageStamp: stamp,
      publication: stamp,
      firstPublishedAt: second,
      origin: { serverId: 'origin', name: 'origin' },
      uploadedBy: 'admin',
    };
  }

  factsOf(item: number): PackageFacts {
    const { stage, stamp: stageStamp } = this.of(stageIn(item));
    const removal = removalIn(item) === 0 ? null : this.of(removalIn(item)).stamp;
    const { second: firstPublishedAt } = this.of(firstIn(item));
    return { ...this.publication(publicationIn(item)), stage, stageStamp, removal, firstPublishedAt };
  }

  itemOf(facts: PackageFacts, isHeld: boolean): number {
    const numberOf = (stamp: string | null): number => (stamp === null ? 0 : Number.parseInt(stamp.slice(0, 12), 16));
    const first = this.life.changes.findIndex(({ at }) => isoSeconds(at) === facts.firstPublishedAt) + 1;
    return pack(numberOf(facts.publication), numberOf(facts.stageStamp), numberOf(facts.removal), first, isHeld);
  }
}
