/**
 * Delay before the next attempt, in milliseconds: doubles from `base` up to `cap`, with the upper half random so that
 * many clients that lost one server do not come back in step.
 */
export function backoffMs(attempt: number, base: number, cap: number, random: number): number {
  const full = Math.min(cap, base * 2 ** Math.max(0, attempt - 1));
  return Math.round(full / 2 + (full / 2) * random);
}
