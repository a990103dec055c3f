import type { Stage } from '../../../kernel/stage.js';
import type { BucketDigests, InventoryEntry } from './inventory.js';

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
