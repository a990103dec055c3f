/** Slows downloads down; several may share one. */
export interface Pace {
  readonly bytesPerSecond: number;
  /** Bytes to be written at a time. */
  readonly piece: number;
  /** Counts bytes; how many milliseconds to wait before they may be written. */
  use(bytes: number): number;
}
