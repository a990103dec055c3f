import type { Stamp } from '../../../kernel/hybrid-clock.js';
import { Message } from '../../../kernel/message.js';
import type { PackageFacts } from './package-facts.js';
import type { Author, ChunkPage } from './package.events.js';

/** Who made the last change of stage and the removal, as far as the peer tells. */
export interface ChangeAuthors {
  readonly stage: Author | null;
  readonly removal: Author | null;
}

/**
 * Command: merge what a peer knows about a package into ours. The chunk pages are needed the first time only.
 * Repeating it, or telling old news, changes nothing. Answers with what is known here then.
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
 * Command: the file of a package that was uploaded here was found damaged or gone. Without effect when it was not
 * uploaded here, or was published again since the publication of that stamp.
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
