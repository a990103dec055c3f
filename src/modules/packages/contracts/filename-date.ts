// The date of a filename: `Last-Modified` of what is served under it. It follows from the registers of all packages with
// the filename, so it is the same on every server that knows and holds the same, and moves forward with each change.
import { lastStampBefore, type Stamp, stampMs } from '../../../kernel/hybrid-clock.js';

/** The registers of one of the packages that have or had a filename. */
export interface Namesake {
  readonly packageId: string;
  readonly publication: Stamp;
  readonly stageStamp: Stamp;
  readonly removal: Stamp | null;
  /** This server takes the package and does not hold it yet. */
  readonly isAwaited: boolean;
}

/** A stamp is not moved further ahead of our clock for the sake of a date. Peers postpone stamps of more than 5 minutes. */
const MAX_SPACED_AHEAD_MS = 4 * 60_000;
/** Changes under one filename are this many seconds apart. The seconds between them are for contents that wait for others. */
const STEP_SECONDS = 3;
const MAX_AWAITED = STEP_SECONDS - 1;

/** The second of the last change of a package. */
function secondOf({ publication, stageStamp, removal }: Namesake): number {
  const latest = [publication, stageStamp, removal ?? ''].reduce((a, b) => (a > b ? a : b));
  return Math.floor(stampMs(latest) / 1_000);
}

/** The last second of all. Two servers may have changed two packages at the same time: then the later change counts later. */
function lastSecondOf(namesakes: readonly Namesake[]): number {
  const seconds = namesakes.map(secondOf).toSorted((a, b) => a - b);
  return seconds.reduce((last, second) => Math.max(second, last + STEP_SECONDS), -STEP_SECONDS);
}

/**
 * The date of the filename while a package is served, in seconds since 1970. While a package is awaited that will take over
 * the filename, the date is a little before that of the awaited one: it has to change when the content does. A package that
 * is alone has the date of its publication, since no change of its stage shows another content.
 */
export function dateOfFilename(served: Namesake, namesakes: readonly Namesake[]): number {
  const others = namesakes.filter(({ packageId }) => packageId !== served.packageId);
  if (others.length === 0) return Math.floor(stampMs(served.publication) / 1_000);
  const awaited = others.filter(({ isAwaited, publication }) => isAwaited && publication > served.publication);
  return lastSecondOf([served, ...others]) - Math.min(awaited.length, MAX_AWAITED);
}

/**
 * The stamp that the next change of a package has to follow, so that its filename gets a date that it never had. Null when
 * no other package has the filename, and when the date is too far ahead of our clock.
 */
export function stampToFollow(packageId: string, namesakes: readonly Namesake[], now: Date): Stamp | null {
  if (!namesakes.some((other) => other.packageId !== packageId)) return null;
  const next = (lastSecondOf(namesakes) + STEP_SECONDS) * 1_000;
  return next > now.getTime() + MAX_SPACED_AHEAD_MS ? null : lastStampBefore(next);
}
