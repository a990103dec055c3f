export interface Verified {
  readonly events: number;
  /** Rows of all read models; null when neither log is in a PostgreSQL that could hold them. */
  readonly readModelRows: number | null;
}

/** What a copy ends with, also as the JSON line. */
export interface CopyResult {
  readonly from: string;
  readonly to: string;
  /** Events on the target; those of them that it had before; those that were copied now. */
  readonly events: number;
  readonly already: number;
  readonly copied: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** Rows of the schema `state`; null when that is not copied between these engines. */
  readonly stateRows: number | null;
  /** Null when it was not wanted. */
  readonly verified: Verified | null;
  /** Events that came to the source meanwhile and are not on the target. */
  readonly behind: number;
}
