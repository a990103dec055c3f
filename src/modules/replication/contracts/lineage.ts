/** One server on the way of a copy, and since when it holds the package, verified: ISO 8601, null while it fetches it. */
export type LineageStep = {
  readonly serverId: string;
  readonly name: string;
  readonly verifiedAt: string | null;
};

/** The servers that a copy came through, from the one it was uploaded on to the one it was fetched from. */
export type Lineage = readonly LineageStep[];

/** A longer way is cut at its beginning; no real mesh is so deep. */
const MAX_LINEAGE_STEPS = 64;

export const extendLineage = (before: Lineage, step: LineageStep): Lineage =>
  [...before, step].slice(-MAX_LINEAGE_STEPS);

/** What a peer has of a package: all of it since `verifiedAt` (ISO 8601), or, when that is null, the chunks verified so far. */
export type PeerCopy = {
  readonly verifiedAt: string | null;
  /** The way by which it came to that peer, without the peer itself. */
  readonly lineage: Lineage;
};
