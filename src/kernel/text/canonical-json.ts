import type { Json } from '../json.js';

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
