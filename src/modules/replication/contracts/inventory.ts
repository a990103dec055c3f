import { type Stage, STAGES } from '../../../kernel/stage.js';

/** Packages are compared in so many buckets, by the first byte of their id. */
export const BUCKET_COUNT = 256;

/** Most entries of a bucket in one answer, and most packages whose items are asked for at once. */
export const MAX_ENTRIES_PER_PAGE = 1_000;
export const MAX_ITEMS_PER_REQUEST = 200;

/**
 * Digests (SHA-256, hex; '' of nothing) of one bucket: of the registers of its packages, and of the ids of those that are
 * held. Removed packages do not count, nor those whose stage is not asked for.
 */
export interface BucketDigests {
  readonly registers: string;
  readonly held: string;
}

/** What one server knows of one package, as far as it matters to whether two servers agree. */
export interface InventoryEntry {
  readonly packageId: string;
  readonly stage: Stage;
  readonly stageStamp: string;
  readonly publication: string;
  readonly removal: string | null;
  /** Seconds since 1970. */
  readonly firstPublishedAt: number;
  /** On the server's disk, verified. In our own entries for a comparison: whether the peer is known to hold it. */
  readonly held: boolean;
}

/** The stages that servers of both stages take. */
export const stagesOfBoth = (a: Stage, b: Stage): readonly Stage[] =>
  STAGES.slice(Math.max(STAGES.indexOf(a), STAGES.indexOf(b)));

/** The places of buckets whose digests differ. */
export function findDifferingBuckets(
  ours: readonly BucketDigests[],
  theirs: readonly BucketDigests[],
): readonly number[] {
  return Array.from({ length: BUCKET_COUNT }, (_, bucket) => bucket).filter((bucket) => {
    const [a, b] = [ours[bucket], theirs[bucket]];
    return a?.registers !== b?.registers || a?.held !== b?.held;
  });
}

/** Whose copies count as held in an answer: our own, or, as far as this server knows, a peer's. */
export type Holder = { readonly peerId: string } | 'us';

export interface Inventory {
  /** 256, by the first byte of the package id. */
  readonly buckets: readonly BucketDigests[];
  /** The latest stamp of any register of any package; null when there is none. */
  readonly latestStamp: string | null;
}

/** Query: digests over all packages of these stages; Inventory. */
export class InventoryQuery {
  constructor(
    readonly stages: readonly Stage[],
    readonly holder: Holder,
  ) {}
}

/** Query: what is known of the packages of one bucket, removed ones too, after an id, by id; readonly InventoryEntry[]. */
export class InventoryEntriesQuery {
  constructor(
    readonly bucket: number,
    readonly after: string | null,
    readonly first: number,
    readonly holder: Holder,
  ) {}
}
export type InventoryEntries = readonly InventoryEntry[];

/**
 * Query: in how many packages this server and a peer differ: those given, those that we want, lack, and it holds, and the
 * other way round; number.
 */
export class DifferencesQuery {
  constructor(
    readonly peerId: string,
    readonly stages: { readonly ours: readonly Stage[]; readonly theirs: readonly Stage[] },
    readonly found: readonly string[],
  ) {}
}

/** What the last comparison with a peer found. */
export interface PeerComparison {
  readonly peerId: string;
  readonly comparedAt: Date;
  readonly differences: number;
}

/** Query: the last comparisons with these peers, in the order asked for; readonly (PeerComparison | null)[]. */
export class PeerComparisonsQuery {
  constructor(readonly peerIds: readonly string[]) {}
}
