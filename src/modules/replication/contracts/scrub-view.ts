/** OFF by ODST_SCRUB_RATE=0; WAITING until a package is due; RUNNING while files are read. */
export const SCRUB_STATES = ['OFF', 'WAITING', 'RUNNING'] as const;
export type ScrubState = (typeof SCRUB_STATES)[number];

/** The background check of all files, as it is shown. */
export interface ScrubView {
  readonly state: ScrubState;
  readonly bytesPerSecond: number;
  readonly lastFinishedAt: Date | null;
  /** Since the server was set up, also by other checks than the scrub. */
  readonly damagedFound: number;
}
