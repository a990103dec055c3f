/** What went over the network. Bytes as numbers: exact up to 9 PB. */
export interface Traffic {
  /** Feed items that arrived, and of these the ones that told nothing new about the package itself, such as echoes. */
  items: number;
  repeats: number;
  /** Requests for chunks and manifests. */
  requests: number;
  /** Bytes of feed items, of packages, and of packages that were no longer wanted before they were whole. */
  itemBytes: number;
  packageBytes: number;
  wastedBytes: number;
  /** Copies that became whole. */
  copies: number;
}

export const noTraffic = (): Traffic => ({
  items: 0,
  repeats: 0,
  requests: 0,
  itemBytes: 0,
  packageBytes: 0,
  wastedBytes: 0,
  copies: 0,
});
