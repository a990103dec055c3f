import type { Stamp } from '../../../kernel/hybrid-clock.js';
import { Message } from '../../../kernel/message.js';
import type { PackageFacts } from './package-facts.js';
import type { Author, ChunkPage } from './package.events.js';

/** The authors of the last change of stage and of the removal. Null when the peer does not name them. */
export interface ChangeAuthors {
  readonly stage: Author | null;
  readonly removal: Author | null;
}

/**
 * Command: merges what a peer knows about a package into what this server knows. The pages of chunk digests are needed
 * only when the package is new here. Repeating the command, or sending outdated facts, changes nothing. The result is
 * what this server knows afterwards: PackageFacts or null.
 */
export class LearnPackage extends Message<PackageFacts | null> {
  constructor(
    readonly facts: PackageFacts,
    readonly pages: readonly ChunkPage[],
    readonly peerId: string,
    readonly authors?: ChangeAuthors,
  ) {
    super();
  }
}

/**
 * Command: records that the file of a package is damaged or missing. It has no effect when the package was not uploaded
 * here, or was published again after the publication with this stamp.
 */
export class RecordPackageDamage extends Message<void> {
  constructor(
    readonly packageId: string,
    readonly publication: Stamp,
    readonly damagedChunks: number,
    readonly missing: boolean,
  ) {
    super();
  }
}
