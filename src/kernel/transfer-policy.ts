export const WEEKDAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/**
 * A part of the day, in the time zone of the server's process: from `from` on, up to and without `to`. One that ends
 * before it begins ends on the next day, and `days` are those on which it begins.
 */
export interface TimeWindow {
  readonly days: readonly Weekday[];
  /** `00:00` to `23:59`. */
  readonly from: string;
  /** `00:00` to `24:00`. */
  readonly to: string;
}

const DAY_MINUTES = 24 * 60;

/** `06:30` as minutes since midnight; null for anything else. */
export function minutesOf(time: string): number | null {
  const [, hours, minutes] = /^(\d{2}):(\d{2})$/.exec(time) ?? [];
  if (hours === undefined || minutes === undefined || Number(minutes) > 59) return null;
  const total = Number(hours) * 60 + Number(minutes);
  return total <= DAY_MINUTES ? total : null;
}

/** Is `now` in one of the windows? Always, when there are none. */
export const isWithinWindows = (windows: readonly TimeWindow[], now: Date): boolean =>
  windows.length === 0 || windows.some((window) => containsTime(window, now));

/** When the next window begins; null when one is open now. */
export function nextOpening(windows: readonly TimeWindow[], now: Date): Date | null {
  if (isWithinWindows(windows, now)) return null;
  const starts = windows.flatMap((window) => startsOf(window, now)).filter((start) => start > now);
  return new Date(Math.min(...starts.map((start) => start.getTime())));
}

/** `2026-11-24 22:00`, in the time zone of the server's process. */
export function localTime(date: Date): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

function containsTime(window: TimeWindow, now: Date): boolean {
  const minute = now.getHours() * 60 + now.getMinutes();
  const [from, to] = [minutesOf(window.from) ?? 0, minutesOf(window.to) ?? 0];
  if (from < to) return beginsOn(window, now, 0) && from <= minute && minute < to;
  return (beginsOn(window, now, 0) && minute >= from) || (beginsOn(window, now, -1) && minute < to);
}

/** The beginnings of a window within the next eight days: that of today may be over. */
function startsOf(window: TimeWindow, now: Date): Date[] {
  const from = minutesOf(window.from) ?? 0;
  const days = Array.from({ length: 8 }, (_, day) => day).filter((day) => beginsOn(window, now, day));
  return days.map(
    (day) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + day, Math.floor(from / 60), from % 60),
  );
}

function beginsOn({ days }: TimeWindow, now: Date, later: number): boolean {
  const weekday = WEEKDAYS[(now.getDay() + 6 + later + 7) % 7];
  return weekday !== undefined && days.includes(weekday);
}

/** What is exchanged with a peer, as this server sees it: it sends to the peer, receives from it, or both. */
export const DIRECTIONS = ['SEND_RECEIVE', 'SEND_ONLY', 'RECEIVE_ONLY'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** How packages may pass in one direction. */
export interface FlowPolicy {
  /** For all connections of one process together; null for no limit. */
  readonly bytesPerSecond: number | null;
  /** When they may; always when empty. */
  readonly windows: readonly TimeWindow[];
}

export interface PeerPolicy {
  readonly direction: Direction;
  readonly send: FlowPolicy;
  readonly receive: FlowPolicy;
}

/** What is left out of a change stays. */
export interface PolicyChange {
  readonly direction?: Direction;
  readonly send?: Partial<FlowPolicy>;
  readonly receive?: Partial<FlowPolicy>;
}

const UNLIMITED: FlowPolicy = { bytesPerSecond: null, windows: [] };

/** Of a peer for which nobody decided anything. */
export const OPEN_POLICY: PeerPolicy = { direction: 'SEND_RECEIVE', send: UNLIMITED, receive: UNLIMITED };

/** May bytes of packages pass now? `opensAt` says when they may, null when they may now, or never. */
export interface TransferWindow {
  readonly may: boolean;
  readonly opensAt: Date | null;
}

/** Is anything ever taken from the peer? Else we don't follow it either. */
export const takesFrom = ({ direction }: PeerPolicy): boolean => direction !== 'SEND_ONLY';

/** Does the peer ever get anything from us? */
export const givesTo = ({ direction }: PeerPolicy): boolean => direction !== 'RECEIVE_ONLY';

/** May we fetch bytes of packages from the peer now? */
export const mayTakeFrom = (policy: PeerPolicy, now: Date): TransferWindow =>
  transferWindow(takesFrom(policy), policy.receive, now);

/** May the peer have bytes of packages from us now? */
export const mayGiveTo = (policy: PeerPolicy, now: Date): TransferWindow =>
  transferWindow(givesTo(policy), policy.send, now);

const transferWindow = (ever: boolean, { windows }: FlowPolicy, now: Date): TransferWindow => ({
  may: ever && isWithinWindows(windows, now),
  opensAt: ever ? nextOpening(windows, now) : null,
});
