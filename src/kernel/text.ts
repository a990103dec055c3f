import type { Json } from './events.js';
import { cleanText, findCharacterFault } from './input-text.js';

/** NUL and halves of surrogate pairs, which databases do not store as UTF-8 text. */
const NOT_PLAIN = /\0|\p{Surrogate}/u;

/** True when a text can be stored and shown everywhere: it is valid Unicode without NUL. */
export const isPlain = (text: string): boolean => !NOT_PLAIN.test(text);

/** Replaces what a database does not store as UTF-8 text by U+FFFD. */
export const plainText = (text: string): string => text.replace(/\0|\p{Surrogate}/gu, '\ufffd');

/** A place in a JSON value: the name or the number of a part, and the place that has it; null for the whole. */
type Place = { readonly part: string | number; readonly of: Place } | null;

const MAX_PLACE_LENGTH = 100;

const MAX_PARTS = 10;

/** Writes the way to a part of a JSON value, such as `a.b[2]`. */
export const pathText = (path: readonly PropertyKey[]): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`)).join('');

function describePlace(place: Place): string {
  const parts: (string | number)[] = [];
  for (let at = place; at !== null && parts.length < MAX_PARTS; at = at.of) parts.unshift(at.part);
  return cleanText(pathText(parts), MAX_PLACE_LENGTH);
}

/**
 * Where a JSON value has a text that is not plain, at any depth and including the names of members, such as `a.b[2]`;
 * empty for the value itself. Null when all texts are plain.
 */
export function findUnstorableText(value: unknown): string | null {
  const left: { readonly value: unknown; readonly place: Place }[] = [{ value, place: null }];
  for (let next = left.pop(); next; next = left.pop()) {
    const { value: found, place } = next;
    if (typeof found === 'string') {
      if (!isPlain(found)) return describePlace(place);
    } else if (Array.isArray(found)) {
      for (const [part, item] of found.entries()) left.push({ value: item, place: { part, of: place } });
    } else if (typeof found === 'object' && found !== null) {
      for (const [part, item] of Object.entries(found)) {
        if (!isPlain(part)) return describePlace({ part, of: place });
        left.push({ value: item, place: { part, of: place } });
      }
    }
  }
  return null;
}

/** The end of a sentence about a text that is not plain. */
export const NOT_PLAIN_FAULT = 'must be valid Unicode without NUL';

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
 * True when a text is the base URL of a server: http or https, a host, and perhaps a path. User names, queries, fragments,
 * path segments of dots and a slash at the end are not allowed.
 */
export const isBaseUrl = (url: string): boolean =>
  url.length <= MAX_URL_LENGTH &&
  BASE_URL.test(url) &&
  !MOVES_UP.test(url) &&
  findCharacterFault(url) === null &&
  URL.canParse(url);

/** The advice for a user whose text is no base URL. */
export const BASE_URL_ADVICE =
  "A server's address looks like https://packages.example.com, without a query or a slash at the end.";

/**
 * The form of a text in which letter case and the Unicode normal form make no difference. Texts are compared in this form
 * and not by the database, whose rules for letters depend on how it was made.
 */
export const foldText = (text: string): string =>
  // Upper case first: ß and SS are the same then, and so are the two forms of a small sigma.
  text.normalize('NFC').toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFC');
