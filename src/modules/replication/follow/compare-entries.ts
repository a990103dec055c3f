import type { Stage } from '../../../kernel/stage.js';
import type { InventoryEntry } from '../read-model/inventory.query.js';

/** Packages of one bucket in which two servers differ. */
export interface EntryDifferences {
  /** The peer knows something newer, or what we know of its copy is wrong: to be mended by us. */
  readonly toLearn: readonly string[];
  /** We know something newer: to be mended by the peer. */
  readonly toTeach: readonly string[];
}

const isRemoved = ({ removal, publication }: InventoryEntry): boolean => removal !== null && removal > publication;

/** Is one register of `a` ahead of that of `b`? The first publication is the earliest known. */
const isAhead = (a: InventoryEntry, b: InventoryEntry): boolean =>
  a.publication > b.publication ||
  a.stageStamp > b.stageStamp ||
  (a.removal ?? '') > (b.removal ?? '') ||
  a.firstPublishedAt < b.firstPublishedAt;

/**
 * Compares what both know of the packages of a bucket. `held` in our entries is whether we believe that the peer holds the
 * package. `shared`: the stages that both servers take.
 */
export function compareEntries(
  ours: readonly InventoryEntry[],
  theirs: readonly InventoryEntry[],
  shared: readonly Stage[],
): EntryDifferences {
  const toLearn: string[] = [];
  const toTeach: string[] = [];
  const unmet = new Map(ours.map((entry) => [entry.packageId, entry]));
  for (const their of theirs) {
    const our = unmet.get(their.packageId);
    unmet.delete(their.packageId);
    const isUseful = !isRemoved(their) && shared.includes(their.stage);
    if (our ? isNews(our, their, isUseful) : isUseful && their.held) toLearn.push(their.packageId);
    if (our && !areGone(our, their) && isAhead(our, their)) toTeach.push(their.packageId);
  }
  // A peer that does not know a package cannot hold it, whatever it told us before it lost its memory.
  for (const our of unmet.values()) if (our.held && !isRemoved(our)) toLearn.push(our.packageId);
  return { toLearn, toTeach };
}

/** Two tombstones agree, whatever else is known of the package. */
const areGone = (our: InventoryEntry, their: InventoryEntry): boolean => isRemoved(our) && isRemoved(their);

const isNews = (our: InventoryEntry, their: InventoryEntry, isUseful: boolean): boolean =>
  !areGone(our, their) && (isAhead(their, our) || (isUseful && !isRemoved(our) && their.held !== our.held));
