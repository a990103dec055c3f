/** 1990, before any package; an earlier time is a mistake or an attack. */
export const MIN_TIME_MS = Date.UTC(1990, 0, 1);
/** 2200, excluded. Date and PostgreSQL can store much later times; people cannot mean them. */
export const END_TIME_MS = Date.UTC(2200, 0, 1);

/** True when a time in milliseconds since 1970 is one that servers exchange. */
export const isStorableMs = (ms: number): boolean => ms >= MIN_TIME_MS && ms < END_TIME_MS;

/** What is wrong with a time, as the end of a sentence about it. */
export const TIME_FAULT = 'must be a time from 1990 to 2199';

const UTC_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{3})?Z$/;

/**
 * True when a text is a time as servers write it, such as `2026-01-31T12:00:00.000Z`: in UTC, in whole seconds or
 * milliseconds, of a day that the calendar has, and one that can be stored.
 */
export function isStorableTime(text: string): boolean {
  if (!UTC_TIME.test(text)) return false;
  const ms = Date.parse(text);
  // Date takes 30 February for 2 March, so the text must be the one that it writes itself.
  return isStorableMs(ms) && new Date(ms).toISOString().slice(0, 19) === text.slice(0, 19);
}

const TYPED_TIME = /^(\d{4})-(\d{2})-(\d{2})T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/i;

/** The time that somebody has written as in RFC 3339, in any zone; null when it is none, or one that cannot be stored. */
export function parseTypedTime(text: string): Date | null {
  const [, year, month, day] = TYPED_TIME.exec(text) ?? [];
  const date = new Date(day === undefined ? Number.NaN : text);
  if (!isStorableMs(date.getTime())) return null;
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) <= lastDay ? date : null;
}
