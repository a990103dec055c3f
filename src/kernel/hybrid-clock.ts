/**
 * Hybrid logical clock (Kulkarni et al., 2014): wall-clock milliseconds and a counter, with the server's id as the
 * tie-breaker. A stamp is a string that sorts in the clock's order: `<12 hex ms>-<4 hex counter>-<server id>`.
 */
export type Stamp = string;

/** How far ahead of our clock a stamp may be before it is refused, in milliseconds. */
export const MAX_AHEAD_MS = 5 * 60 * 1000;

const SHAPE = /^([0-9a-f]{12})-([0-9a-f]{4})-([0-9a-zA-Z-]{1,64})$/;
const MAX_COUNTER = 0xffff;

const formatStamp = (ms: number, counter: number, serverId: string): Stamp =>
  `${ms.toString(16).padStart(12, '0')}-${counter.toString(16).padStart(4, '0')}-${serverId}`;

export const isStamp = (value: string): boolean => SHAPE.test(value);

/** Wall-clock part of a stamp, in milliseconds since 1970. */
export const stampMs = (stamp: Stamp): number => Number.parseInt(stamp.slice(0, 12), 16);

/** Id of the server that drew a stamp. */
export const stampServer = (stamp: Stamp): string => stamp.slice(18);

const counterOf = (stamp: Stamp): number => Number.parseInt(stamp.slice(13, 17), 16);

/** The later of two stamps; null is earlier than any. */
export const laterStamp = (a: Stamp | null, b: Stamp | null): Stamp | null => ((a ?? '') >= (b ?? '') ? a : b);

export class HybridClock {
  private lastMs = 0;
  private lastCounter = 0;

  constructor(
    private readonly serverId: string,
    private readonly wall: () => number,
  ) {}

  /** A stamp later than every stamp given out or observed so far. */
  now(): Stamp {
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

  /** Is the stamp so far ahead of our clock that merging it would let a wrong clock win for long? */
  isTooFarAhead(stamp: Stamp): boolean {
    return stampMs(stamp) > this.wall() + MAX_AHEAD_MS;
  }

  /** Takes note of a stamp from elsewhere, so that ours come after it. */
  observe(stamp: Stamp): void {
    const ms = stampMs(stamp);
    const counter = counterOf(stamp);
    if (ms > this.lastMs || (ms === this.lastMs && counter > this.lastCounter)) {
      this.lastMs = ms;
      this.lastCounter = counter;
    }
  }
}
