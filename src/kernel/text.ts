import type { Json } from './events.js';

/** NUL, and halves of surrogate pairs: neither is text in UTF-8 as databases take it. */
const NOT_PLAIN = /\0|\p{Surrogate}/u;

/** Can this text be stored and shown everywhere: Unicode without NUL? */
export const isPlain = (text: string): boolean => !NOT_PLAIN.test(text);

/** Is all text in this value of JSON, names included, plain? Of any depth. */
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

/** An escaped NUL or surrogate in JSON; `JSON.stringify` escapes none that has its other half. An even number of backslashes before it escapes itself. */
const ESCAPED_NOT_PLAIN = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/gi;

/** JSON of `JSON.stringify` in which what is not plain is replaced by U+FFFD. */
export const plainJson = (json: string): string => json.replace(ESCAPED_NOT_PLAIN, '$1\\ufffd');

/** By UTF-16 code units, as RFC 8785 wants it: what JavaScript's own comparison does. */
const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : Number(a > b);

/**
 * The one way to write a JSON value (RFC 8785): sorted names, no blanks, numbers and strings as ECMAScript writes them.
 * Members without a value are left out, as JSON.stringify does.
 */
export function canonicalJson(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(byName);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}

const MAX_URL_LENGTH = 500;
const BASE_URL = /^https?:\/\/[^\s/?#@\\]+(\/[^\s/?#@\\]+)*$/;
const MOVES_UP = /\/(\.|%2e){1,2}(\/|$)/i;

/**
 * Is it an address under which a server can be reached: http or https, a host, perhaps a path; no user, query,
 * fragment, dots that move up, or slash at the end?
 */
export const isBaseUrl = (url: string): boolean =>
  url.length <= MAX_URL_LENGTH && BASE_URL.test(url) && !MOVES_UP.test(url);

/** What to say when it is none. */
export const BASE_URL_ADVICE =
  "A server's address looks like https://packages.example.com, without a query or a slash at the end.";
