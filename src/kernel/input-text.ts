/** 1990, before any package; an earlier time is a mistake or an attack. */
const MIN_TIME_MS = Date.UTC(1990, 0, 1);
/** 2200, excluded. Date and PostgreSQL can store much later times; people cannot mean them. */
const END_TIME_MS = Date.UTC(2200, 0, 1);

/** True when a time in milliseconds since 1970 is one that servers exchange. */
export const isStorableMs = (ms: number): boolean => ms >= MIN_TIME_MS && ms < END_TIME_MS;

/** The end of a sentence about a time that is refused. */
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

/** The rules for a text from outside. */
export interface TextRules {
  /** The most UTF-16 code units. One of them takes at most three bytes in UTF-8. */
  readonly max: number;
  /** The least, 0 when it is left out. */
  readonly min?: number;
  /** True when the text may have several lines: then it may contain line feeds and tabs. */
  readonly lines?: boolean;
  /** True when the text may have another Unicode normal form than C. */
  readonly anyForm?: boolean;
}

const SURROGATE = /\p{Surrogate}/u;
/** Marks, embeddings, overrides and isolates: they make a text look like another one. */
const DIRECTION = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/;
const SEPARATOR = /[\u2028\u2029]/;
const CONTROL = /\p{Cc}/u;
const CONTROL_IN_LINES = /[^\P{Cc}\n\t]/u;

/** Returns the end of a sentence that says what is wrong with the characters of a text; null when nothing is wrong. */
export function findCharacterFault(text: string, lines = false): string | null {
  if (text.includes('\0')) return 'must not contain NUL';
  if (SURROGATE.test(text)) return 'must be valid Unicode, without half of a surrogate pair';
  if ((lines ? CONTROL_IN_LINES : CONTROL).test(text)) return 'must not contain control characters';
  if (DIRECTION.test(text)) return 'must not contain characters that change the direction of text';
  if (SEPARATOR.test(text)) return 'must not contain line or paragraph separators';
  return null;
}

/**
 * What is wrong with a text from outside, as the end of a sentence about it; null when nothing is. The database can store
 * a text without a fault, and people see it as what it is.
 */
export function findTextFault(
  text: string,
  { max, min = 0, lines = false, anyForm = false }: TextRules,
): string | null {
  if (text.length > max || text.length < min) return describeLength(min, max);
  const fault = findCharacterFault(text, lines);
  if (fault !== null) return fault;
  if (min > 0 && text.trim() === '') return 'must not be blank';
  return anyForm || text.normalize('NFC') === text ? null : 'must be in Unicode normal form C';
}

const describeLength = (min: number, max: number): string =>
  min === max
    ? `must have ${max} characters`
    : min > 0
      ? `must have ${min} to ${max} characters`
      : `must be at most ${max} characters long`;

/** The length of a text in UTF-8, in bytes. */
function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

const MAX_FILENAME_BYTES = 255;

/** Returns the end of a sentence that says what is wrong with a filename; null when nothing is wrong. */
export function findFilenameFault(name: string): string | null {
  if (name === '') return 'must not be empty';
  const fault = findCharacterFault(name);
  if (fault !== null) return fault;
  if (/[/\\]/.test(name)) return 'must not contain slashes or backslashes';
  if (name === '.' || name === '..') return 'must not be "." or ".."';
  if (name.trim() !== name) return 'must not begin or end with white space';
  if (utf8Length(name) > MAX_FILENAME_BYTES) return `must not be longer than ${MAX_FILENAME_BYTES} bytes in UTF-8`;
  return null;
}

/** The first `max` code units of a text, without half of a surrogate pair at the end. */
export const cutText = (text: string, max: number): string => {
  const cut = text.slice(0, max);
  return /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
};

const NOT_CLEAN = /[\p{Surrogate}\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/**
 * A text that is only noted, such as the name that a stranger gave: at most `max` code units, in which each character
 * that a text must not contain is replaced by U+FFFD.
 */
export const cleanText = (text: string, max: number): string =>
  cutText(text, max).replaceAll(NOT_CLEAN, '\uFFFD').normalize('NFC');

const TAIL = ['', '[AQgw]', '[AEIMQUYcgkosw048]'] as const;
const PATTERNS = {
  base64: TAIL.map((tail, over) => new RegExp(`^[A-Za-z0-9+/]*${tail}${'='.repeat((3 - over) % 3)}$`)),
  base64url: TAIL.map((tail) => new RegExp(`^[A-Za-z0-9_-]*${tail}$`)),
};

/** True when a text is the one way to write so many bytes: base64 with padding, or base64url without (RFC 4648). */
export function encodesBytes(text: string, bytes: number, how: keyof typeof PATTERNS): boolean {
  const length = how === 'base64' ? Math.ceil(bytes / 3) * 4 : Math.ceil((bytes * 4) / 3);
  return text.length === length && PATTERNS[how][bytes % 3]?.test(text) === true;
}
