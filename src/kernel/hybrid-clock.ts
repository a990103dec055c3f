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

/** The last stamp that a clock can issue before a time. What follows it has that time or a later one. */
export const lastStampBefore = (ms: number): Stamp => formatStamp(ms - 1, MAX_COUNTER, '');

/** Id of the server that issued a stamp. */
export const stampServer = (stamp: Stamp): string => stamp.slice(18);

const counterOf = (stamp: Stamp): number => Number.parseInt(stamp.slice(13, 17), 16);

/** A time of the clock: milliseconds, and a counter for stamps of the same millisecond. */
interface Tick {
  readonly ms: number;
  readonly counter: number;
}

const tickAfter = ({ ms, counter }: Tick): Tick =>
  counter < MAX_COUNTER ? { ms, counter: counter + 1 } : { ms: ms + 1, counter: 0 };

/** The later of two stamps. Null is earlier than any stamp. */
export const laterStamp = (a: Stamp | null, b: Stamp | null): Stamp | null => ((a ?? '') >= (b ?? '') ? a : b);

/**
 * Issues the stamps of this server. Stamps of other servers do not move it: each stamp follows those that it has to follow,
 * and all others have the time of this server.
 */
export class HybridClock {
  private last: Tick = { ms: 0, counter: 0 };
  /** Stamps that were issued ahead of our own time, because they followed others. None of them is issued twice. */
  private readonly ahead = new Set<Stamp>();

  constructor(
    private readonly serverId: string,
    private readonly wall: () => number,
  ) {}

  /**
   * Issues a stamp that is later than the given ones. The stamps that it issues without them are also later than each
   * other.
   */
  nextStamp(after: readonly (Stamp | null)[] = []): Stamp {
    const wall = this.wall();
    this.last = wall > this.last.ms ? { ms: wall, counter: 0 } : tickAfter(this.last);
    const own = this.format(this.last);
    const latest = after.reduce<Stamp | null>(laterStamp, null);
    const isFree = (stamp: Stamp): boolean => !this.ahead.has(stamp);
    if (latest === null || latest < own) return isFree(own) ? own : this.nextStamp(after);
    return this.issueAfter(latest, isFree);
  }

  /** True when a stamp is so far ahead that, if it were accepted, a wrong clock would win against all changes for a long time. */
  isTooFarAhead(stamp: Stamp): boolean {
    return stampMs(stamp) > this.wall() + MAX_AHEAD_MS;
  }

  private issueAfter(latest: Stamp, isFree: (stamp: Stamp) => boolean): Stamp {
    for (const stamp of this.ahead) if (stampMs(stamp) < this.last.ms) this.ahead.delete(stamp);
    let tick = tickAfter({ ms: stampMs(latest), counter: counterOf(latest) });
    while (!isFree(this.format(tick))) tick = tickAfter(tick);
    const stamp = this.format(tick);
    this.ahead.add(stamp);
    return stamp;
  }

  private format({ ms, counter }: Tick): Stamp {
    return formatStamp(ms, counter, this.serverId);
  }
}
