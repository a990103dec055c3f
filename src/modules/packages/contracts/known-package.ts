import type { StreamFold } from '../../../kernel/stream-fold.js';
import { packageEvents, type PackageEvent } from './package.events.js';
import { foldFacts, isRemoved, type PackageFacts } from './package-facts.js';

/** What this server knows of a package from its stream. */
export interface KnownPackage {
  readonly facts: PackageFacts | null;
  /** ISO 8601; when its bytes were last uploaded here, null when they were not or were removed since. */
  readonly uploadedAt: string | null;
}

export const knownPackage: StreamFold<KnownPackage, PackageEvent> = {
  category: 'package',
  events: packageEvents,
  initial: { facts: null, uploadedAt: null },
  evolve: (known, event) => {
    const facts = foldFacts(known.facts, event);
    if (event.type === 'PackagePublished' && event.data.source.kind === 'local') {
      return { facts, uploadedAt: event.record.recordedAt.toISOString() };
    }
    const removed = event.type === 'PackageRemoved' && facts !== null && isRemoved(facts);
    return { facts, uploadedAt: removed ? null : known.uploadedAt };
  },
};
