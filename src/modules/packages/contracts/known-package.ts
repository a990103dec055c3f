import type { StreamFold } from '../../../kernel/stream-fold.js';
import { packageEvents, type ChunkPage, type PackageEvent } from './package.events.js';
import { foldFacts, isRemoved, type PackageFacts } from './package-facts.js';

/** Up to so many chunks a package is small: its digests take about 1 KiB and go along wherever its facts go. */
export const SMALL_PACKAGE_CHUNKS = 16;

/** What this server knows of a package from its stream. */
export interface KnownPackage {
  readonly facts: PackageFacts | null;
  /** ISO 8601; when its bytes were last uploaded here, null when they were not, or were removed or damaged since. */
  readonly uploadedAt: string | null;
  /** Where in the log its first publication is. */
  readonly firstCursor: string | null;
  /** Where in the log it was removed last, whatever was published since. */
  readonly removedCursor: string | null;
  /** All chunk digests of a small package; null for a larger one. */
  readonly digests: ChunkPage | null;
}

export const knownPackage: StreamFold<KnownPackage, PackageEvent> = {
  category: 'package',
  events: packageEvents,
  initial: { facts: null, uploadedAt: null, firstCursor: null, removedCursor: null, digests: null },
  evolve: (known, event) => {
    if (event.type === 'PackageChunksHashed') return { ...known, digests: smallPage(event.data) };
    const facts = foldFacts(known.facts, event);
    if (event.type === 'PackagePublished') {
      const uploadedAt = event.data.source.kind === 'local' ? event.record.recordedAt.toISOString() : known.uploadedAt;
      return { ...known, facts, uploadedAt, firstCursor: known.firstCursor ?? event.record.cursor };
    }
    if (event.type === 'PackageDamaged') return { ...known, uploadedAt: null };
    const removed = event.type === 'PackageRemoved' && facts !== null && isRemoved(facts);
    return removed ? { ...known, facts, uploadedAt: null, removedCursor: event.record.cursor } : { ...known, facts };
  },
};

function smallPage({ first, count, sha1, sha256 }: ChunkPage): ChunkPage | null {
  return first === 0 && count <= SMALL_PACKAGE_CHUNKS ? { first, count, sha1, sha256 } : null;
}
