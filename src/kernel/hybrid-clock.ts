/**
 * A stamp of a hybrid logical clock (Kulkarni et al., 2014): wall-clock milliseconds, a counter, and the id of the server
 * for equal times. As strings, stamps sort in the order of the clock: `<12 hex ms>-<4 hex counter>-<server id>`.
 */
export type Stamp = string;

/** A stamp that is further ahead of this server's clock is refused, in milliseconds. */
export const MAX_AHEAD_MS = 5 * 60 * 1000;

const STAMP_FORMAT = /^([0-9a-f]{12})-([0-9a-f]{4})-([0-9a-zA-Z-]{1,64})$/;
const MAX_COUNTER = 0xffff;

const formatStamp = (ms: number, counter: number, serverId: string): Stamp =>
  `${ms.toString(16).padStart(12, '0')}-${counter.toString(16).padStart(4, '0')}-${serverId}`;

/** True when a text has the format of a stamp. */
export const isStamp = (value: string): boolean => STAMP_FORMAT.test(value);

/** Time of a stamp in milliseconds since 1970. */
export const stampMs = (stamp: Stamp): number => Number.parseInt(stamp.slice(0, 12), 16);

/** Id of the server that issued a stamp. */
export const stampServer = (stamp: Stamp): string => stamp.slice(18);

const counterOf = (stamp: Stamp): number => Number.parseInt(stamp.slice(13, 17), 16);

/** The later of two stamps. Null is earlier than any stamp. */
export const laterStamp = (a: Stamp | null, b: Stamp | null): Stamp | null => ((a ?? '') >= (b ?? '') ? a : b);

export class HybridClock {
  private lastMs = 0;
  private lastCounter = 0;

  constructor(
    private readonly serverId: string,
    private readonly wall: () => number,
  ) {}

  /** Issues a stamp that is later than every stamp that this clock has issued or observed. */
  nextStamp(): Stamp {
    const wall = this.wall();
    if (wall > this.lastMs) {
      this.lastMs = wall;
      this.lastCounter = 0;
    } else if (this.lastCounter < MAX_COUNTER) {
      this.lastCounter += 1;
    } else {
      this.lastMs += 1;
      this.lastCounter = 0;
    }
    return formatStamp(this.lastMs, this.lastCounter, this.serverId);
  }

  /** True when a stamp is so far ahead that, if it were accepted, a wrong clock would win against all changes for a long time. */
  isTooFarAhead(stamp: Stamp): boolean {
    return stampMs(stamp) > this.wall() + MAX_AHEAD_MS;
  }

  /** Notes a stamp of another server, so that later stamps of this clock come after it. */
  observeStamp(stamp: Stamp): void {
    const ms = stampMs(stamp);
    const counter = counterOf(stamp);
    if (ms > this.lastMs || (ms === this.lastMs && counter > this.lastCounter)) {
      this.lastMs = ms;
      this.lastCounter = counter;
    }
  }
}
