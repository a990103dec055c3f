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
