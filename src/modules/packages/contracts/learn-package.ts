import type { ChunkPage } from './package.events.js';
import type { PackageFacts } from './package-facts.js';

/**
 * Command: merge what a peer knows about a package into ours. The chunk pages are needed the first time only.
 * Repeating it, or telling old news, changes nothing. Answers with what is known here then.
 */
export class LearnPackage {
  constructor(
    readonly facts: PackageFacts,
    readonly pages: readonly ChunkPage[],
    readonly peerId: string,
  ) {}
}
