export const WEEKDAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/**
 * A part of the day in the time zone of the server's process. It begins at `from` and ends before `to`; when `to` is
 * earlier than `from`, it ends on the next day. `days` are the days on which it begins.
 */
export interface TimeWindow {
  readonly days: readonly Weekday[];
  /** `00:00` to `23:59`. */
  readonly from: string;
  /** `00:00` to `24:00`. */
  readonly to: string;
}

const DAY_MINUTES = 24 * 60;

/** Converts a time such as `06:30` to minutes since midnight. Null for any other text. */
export function minutesOf(time: string): number | null {
  const [, hours, minutes] = /^(\d{2}):(\d{2})$/.exec(time) ?? [];
  if (hours === undefined || minutes === undefined || Number(minutes) > 59) return null;
  const total = Number(hours) * 60 + Number(minutes);
  return total <= DAY_MINUTES ? total : null;
}

/** True when `now` is in one of the windows. No windows mean no restriction. */
export const isWithinWindows = (windows: readonly TimeWindow[], now: Date): boolean =>
  windows.length === 0 || windows.some((window) => containsTime(window, now));

/** The time at which the next window begins; null when one is open now. */
export function nextOpening(windows: readonly TimeWindow[], now: Date): Date | null {
  if (isWithinWindows(windows, now)) return null;
  const starts = windows.flatMap((window) => startsOf(window, now)).filter((start) => start > now);
  return new Date(Math.min(...starts.map((start) => start.getTime())));
}

/** Formats a time such as `2026-11-24 22:00`, in the time zone of the server's process. */
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

/** The times at which a window begins from today on for eight days. The one of today may be in the past. */
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

/** The direction of the exchange with a peer: this server sends packages, receives packages, or both. */
export const DIRECTIONS = ['SEND_RECEIVE', 'SEND_ONLY', 'RECEIVE_ONLY'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** The limits for packages in one direction. */
export interface FlowPolicy {
  /** The limit for all connections of one process together; null for no limit. */
  readonly bytesPerSecond: number | null;
  /** The times at which packages may pass. No windows mean no restriction. */
  readonly windows: readonly TimeWindow[];
}

/** The policy of this server for the exchange with a peer. */
export interface PeerPolicy {
  readonly direction: Direction;
  readonly send: FlowPolicy;
  readonly receive: FlowPolicy;
}

/** A change of a policy. Fields that are left out stay as they are. */
export interface PolicyChange {
  readonly direction?: Direction;
  readonly send?: Partial<FlowPolicy>;
  readonly receive?: Partial<FlowPolicy>;
}

const UNLIMITED: FlowPolicy = { bytesPerSecond: null, windows: [] };

/** The policy of a peer for which nobody has set one. */
export const OPEN_POLICY: PeerPolicy = { direction: 'SEND_RECEIVE', send: UNLIMITED, receive: UNLIMITED };

/** Says whether bytes of packages may pass now. `opensAt` is the next time at which they may; null when they may now or never. */
export interface TransferWindow {
  readonly may: boolean;
  readonly opensAt: Date | null;
}

/** True when this server receives packages from the peer at all. If not, it does not follow the peer's feed either. */
export const receivesFrom = ({ direction }: PeerPolicy): boolean => direction !== 'SEND_ONLY';

/** True when this server sends packages to the peer at all. */
export const sendsTo = ({ direction }: PeerPolicy): boolean => direction !== 'RECEIVE_ONLY';

/** True when this server may fetch bytes of packages from the peer now. */
export const mayReceiveFrom = (policy: PeerPolicy, now: Date): TransferWindow =>
  transferWindow(receivesFrom(policy), policy.receive, now);

/** True when this server may send bytes of packages to the peer now. */
export const maySendTo = (policy: PeerPolicy, now: Date): TransferWindow =>
  transferWindow(sendsTo(policy), policy.send, now);

const transferWindow = (ever: boolean, { windows }: FlowPolicy, now: Date): TransferWindow => ({
  may: ever && isWithinWindows(windows, now),
  opensAt: ever ? nextOpening(windows, now) : null,
});
