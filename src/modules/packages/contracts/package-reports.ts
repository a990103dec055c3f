import type { Stamp } from '../../../kernel/hybrid-clock.js';
import { Message } from '../../../kernel/message.js';
import type { PackageFacts } from './package-facts.js';
import type { Author, ChunkPage } from './package.events.js';
import type { SignedFact } from './signed-facts.js';

/** The authors of the last change of stage and of the removal. Null when the peer does not name them. */
export interface ChangeAuthors {
  readonly stage: Author | null;
  readonly removal: Author | null;
}

export interface LearntPackage {
  /** The package as this server knows it now. Null when it does not. */
  readonly facts: PackageFacts | null;
  /** False when something was refused because the rights of a server do not allow it. */
  readonly isAllowed: boolean;
}

/**
 * Command: merges what a peer knows about a package into what this server knows, as far as its signatures are right. What
 * is not accepted is recorded. The pages of chunk digests are needed
 * only when the package is new here. Repeating the command, or sending outdated facts, changes nothing. The result is
 * LearntPackage.
 */
export class LearnPackage extends Message<LearntPackage> {
  constructor(
    readonly facts: PackageFacts,
    readonly pages: readonly ChunkPage[],
    readonly peer: { readonly peerId: string; readonly name: string },
    readonly authors: ChangeAuthors = { stage: null, removal: null },
    readonly proofs: readonly SignedFact[] = [],
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
