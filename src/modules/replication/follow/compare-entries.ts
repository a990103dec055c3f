import type { Stage } from '../../../kernel/stage.js';
import type { InventoryEntry } from '../read-model/inventory.query.js';

/** The packages of one bucket in which two servers differ. */
interface EntryDifferences {
  /** The peer knows something newer, or our knowledge of its copy is wrong. This server resolves it. */
  readonly toLearn: readonly string[];
  /** This server knows something newer. The peer resolves it. */
  readonly toTeach: readonly string[];
}

const isRemoved = ({ removal, publication }: InventoryEntry): boolean => removal !== null && removal > publication;

/** True when a register of `a` is ahead of the same register of `b`. For the first publication the earlier time is ahead. */
const isAhead = (a: InventoryEntry, b: InventoryEntry): boolean =>
  a.publication > b.publication ||
  a.stageStamp > b.stageStamp ||
  (a.removal ?? '') > (b.removal ?? '') ||
  a.firstPublishedAt < b.firstPublishedAt;

/**
 * Compares what two servers know of the packages of a bucket. In our entries `held` says whether the peer is known to hold
 * the package. `shared` are the stages that both servers accept.
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
  // A peer that does not know a package cannot hold it, whatever it reported before it lost its data.
  for (const our of unmet.values()) if (our.held && !isRemoved(our)) toLearn.push(our.packageId);
  return { toLearn, toTeach };
}

/** True when both servers know the removal. Then they agree, whatever else they know of the package. */
const areGone = (our: InventoryEntry, their: InventoryEntry): boolean => isRemoved(our) && isRemoved(their);

const isNews = (our: InventoryEntry, their: InventoryEntry, isUseful: boolean): boolean =>
  !areGone(our, their) && (isAhead(their, our) || (isUseful && !isRemoved(our) && their.held !== our.held));
