import type { StreamFold } from '../../../kernel/decider.js';
import type { RecordedEvent } from '../../../kernel/events.js';
import { packageEvents, type ChunkPage, type PackageEvent } from './package.events.js';
import type { ChangeAuthors } from './package-reports.js';
import { foldFacts, isRemoved, type PackageFacts } from './package-facts.js';

/** A package with at most this many chunks is small. Its digests take about 1 KiB and are sent together with its facts. */
export const SMALL_PACKAGE_CHUNKS = 16;

const NOBODY: ChangeAuthors = { stage: null, removal: null };

/** The knowledge of this server about a package, folded from the stream of the package. */
export interface KnownPackage {
  /** Null until the package is published for the first time. */
  readonly facts: PackageFacts | null;
  /** ISO 8601 time of the last upload to this server. Null when there was none, or its file was removed or damaged since. */
  readonly uploadedAt: string | null;
  /** Cursor of the first publication. */
  readonly firstCursor: string | null;
  /** Cursor of the last removal, even if the package was published again since. */
  readonly removedCursor: string | null;
  /** The authors of the last change of stage and of the removal, as far as they are known. */
  readonly authors: ChangeAuthors;
  /** All chunk digests of a small package. Null for a larger package. */
  readonly digests: ChunkPage | null;
}

/** Folds the stream of a package. */
export const knownPackage: StreamFold<KnownPackage, PackageEvent> = {
  category: 'package',
  events: packageEvents,
  initial: { facts: null, uploadedAt: null, firstCursor: null, removedCursor: null, authors: NOBODY, digests: null },
  evolve: (known, event) => {
    if (event.type === 'PackageChunksHashed') return { ...known, digests: pageOfSmallPackage(event.data) };
    const facts = foldFacts(known.facts, event);
    if (event.type === 'PackagePublished') {
      const uploadedAt = event.data.source.kind === 'local' ? event.record.recordedAt.toISOString() : known.uploadedAt;
      return { ...known, facts, uploadedAt, firstCursor: known.firstCursor ?? event.record.cursor };
    }
    if (event.type === 'PackageDamaged') return { ...known, uploadedAt: null };
    const authors = { ...known.authors, ...authorOfChange(event, event.record, facts) };
    const removed = event.type === 'PackageRemoved' && facts !== null && isRemoved(facts);
    return removed
      ? { ...known, facts, authors, uploadedAt: null, removedCursor: event.record.cursor }
      : { ...known, facts, authors };
  },
};

/** The author of a change, if the change is the one that the register keeps. */
function authorOfChange(
  event: PackageEvent,
  { metadata }: RecordedEvent,
  facts: PackageFacts | null,
): Partial<ChangeAuthors> {
  if (event.type !== 'PackageStageChanged' && event.type !== 'PackageRemoved') return {};
  const { source, by, stamp } = event.data;
  const own = { serverId: metadata.serverId, serverName: null, actor: metadata.actor.name };
  const author = source.kind === 'local' ? own : (by ?? null);
  if (event.type === 'PackageRemoved') return facts?.removal === stamp ? { removal: author } : {};
  return facts?.stageStamp === stamp ? { stage: author } : {};
}

function pageOfSmallPackage({ first, count, sha1, sha256 }: ChunkPage): ChunkPage | null {
  return first === 0 && count <= SMALL_PACKAGE_CHUNKS ? { first, count, sha1, sha256 } : null;
}
