import type { Json } from './events.js';

/** NUL and halves of surrogate pairs, which databases do not store as UTF-8 text. */
const NOT_PLAIN = /\0|\p{Surrogate}/u;

/** Whether a text can be stored and shown everywhere: it is valid Unicode without NUL. */
export const isPlain = (text: string): boolean => !NOT_PLAIN.test(text);

/** Replaces what a database does not store as UTF-8 text by U+FFFD. */
export const plainText = (text: string): string => text.replace(/\0|\p{Surrogate}/gu, '\ufffd');

/** Whether all texts in a JSON value are plain, at any depth and including the names of members. */
export function hasPlainText(value: unknown): boolean {
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next === 'string') {
      if (!isPlain(next)) return false;
    } else if (Array.isArray(next)) {
      for (const item of next) left.push(item);
    } else if (typeof next === 'object' && next !== null) {
      for (const [name, item] of Object.entries(next)) left.push(name, item);
    }
  }
  return true;
}

/**
 * An escaped NUL or surrogate in JSON. `JSON.stringify` escapes a surrogate only when its other half is missing. Before the
 * escape stands an even number of backslashes, which escape each other.
 */
const ESCAPED_NOT_PLAIN = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/gi;

/** Replaces the characters in JSON text that are not plain by U+FFFD. The text must come from `JSON.stringify`. */
export const plainJson = (json: string): string => json.replace(ESCAPED_NOT_PLAIN, '$1\\ufffd');

/** Compares by UTF-16 code units, as RFC 8785 requires. This is the comparison of JavaScript itself. */
const compareNames = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : Number(a > b);

/**
 * Writes a JSON value in its canonical form (RFC 8785): names are sorted, there are no blanks, and numbers and strings are
 * written as ECMAScript does. Members without a value are left out, as JSON.stringify does.
 */
export function canonicalJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(compareNames);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}

const MAX_URL_LENGTH = 500;
const BASE_URL = /^https?:\/\/[^\s/?#@\\]+(\/[^\s/?#@\\]+)*$/;
const MOVES_UP = /\/(\.|%2e){1,2}(\/|$)/i;

/**
 * Whether a text is the base URL of a server: http or https, a host, and perhaps a path. User names, queries, fragments,
 * path segments of dots and a slash at the end are not allowed.
 */
export const isBaseUrl = (url: string): boolean =>
  url.length <= MAX_URL_LENGTH && BASE_URL.test(url) && !MOVES_UP.test(url);

/** The advice for a user whose text is no base URL. */
export const BASE_URL_ADVICE =
  "A server's address looks like https://packages.example.com, without a query or a slash at the end.";
