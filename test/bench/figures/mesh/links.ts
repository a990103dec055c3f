/** Speeds that the figures of a mesh are taken at: a link that is the bottleneck, and none. */
export interface LinkSpeed {
  readonly name: string;
  /** Null for straight over loopback, where the two cores are the limit. */
  readonly bytesPerSecond: number | null;
}

export const LINK_SPEEDS: readonly LinkSpeed[] = [
  { name: 'links of 60 MB/s', bytesPerSecond: 60e6 },
  { name: 'loopback, unlimited', bytesPerSecond: null },
];
