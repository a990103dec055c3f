import { laterStamp, type Stamp } from '../../../kernel/hybrid-clock.js';
import type { PackageEvent, PackagePublished } from './package.events.js';

/**
 * What all servers come to agree on about one package: its content and its registers. In the registers for stage,
 * publication and removal the value with the latest stamp wins. The first publication is the earliest one known.
 * Merging is commutative, associative and idempotent.
 */
export interface PackageFacts extends Omit<PackagePublished['data'], 'source' | 'proofs'> {
  readonly removal: Stamp | null;
}

/** The stamps of the registers. A change must be later than all of them. */
export const registerStamps = (facts: PackageFacts | null): readonly (Stamp | null)[] =>
  facts ? [facts.publication, facts.stageStamp, facts.removal] : [];

/** A time in whole seconds, as `firstPublishedAt` has it: `2026-01-02T03:04:05Z`. */
export const isoSeconds = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

/** True when the package was removed and not published again since. */
export const isRemoved = (facts: PackageFacts): boolean => facts.removal !== null && facts.removal > facts.publication;

/** True when one of our registers has a newer value than theirs. */
export const knowsMore = (ours: PackageFacts, theirs: PackageFacts): boolean =>
  ours.publication > theirs.publication ||
  ours.stageStamp > theirs.stageStamp ||
  (ours.removal ?? '') > (theirs.removal ?? '') ||
  ours.firstPublishedAt < theirs.firstPublishedAt;

const earlierOf = (a: string, b: string): string => (a < b ? a : b);

function mergePublication(facts: PackageFacts | null, published: PackagePublished['data']): PackageFacts {
  const { source: _source, proofs: _proofs, ...data } = published;
  if (!facts) return { ...data, removal: null };
  const stage = data.stageStamp > facts.stageStamp ? data : facts;
  const newer = data.publication > facts.publication ? data : facts;
  return {
    ...facts,
    stage: stage.stage,
    stageStamp: stage.stageStamp,
    publication: newer.publication,
    origin: newer.origin,
    uploadedBy: newer.uploadedBy,
    firstPublishedAt: earlierOf(data.firstPublishedAt, facts.firstPublishedAt),
  };
}

/** Applies one event of the package's stream to the facts. They are null until the first PackagePublished. */
export function foldFacts(facts: PackageFacts | null, event: PackageEvent): PackageFacts | null {
  if (event.type === 'PackagePublished') return mergePublication(facts, event.data);
  if (!facts) return null;
  if (event.type === 'PackageStageChanged') {
    return event.data.stamp > facts.stageStamp
      ? { ...facts, stage: event.data.to, stageStamp: event.data.stamp }
      : facts;
  }
  if (event.type === 'PackageRemoved') return { ...facts, removal: laterStamp(event.data.stamp, facts.removal) };
  return facts;
}
