import { assert, jsonValue, property, type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './text.js';
import type { Json } from './events.js';

const json = jsonValue() as Arbitrary<Json>;
const read = (text: string): unknown => JSON.parse(text);
const holds = (check: (value: Json) => void): void => assert(property(json, (value) => void check(value)));

/** The same value with the members of every object in the opposite order. */
function turned(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => turned(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, member]) => [name, turned(member as Json)]),
  );
}

describe('canonical JSON', () => {
  it('is JSON of the same value, so different values differ in it', () => {
    holds((value) => expect(read(canonicalJson(value))).toEqual(read(JSON.stringify(value))));
  });

  it('does not depend on the order of members, and is the same when it was read and written again', () => {
    holds((value) => expect(canonicalJson(turned(value))).toBe(canonicalJson(value)));
    holds((value) => expect(canonicalJson(read(canonicalJson(value)) as Json)).toBe(canonicalJson(value)));
  });

  it('writes the example of RFC 8785, section 3.2.3, in its order', () => {
    const names = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'];
    const value = Object.fromEntries(names.toReversed().map((name) => [name, name]));
    expect(canonicalJson(value)).toBe(
      `{${names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(name)}`).join(',')}}`,
    );
  });

  it('writes numbers as ECMAScript does, and leaves out what has no value', () => {
    expect(canonicalJson([1e21, 1, -0, 1e-7, 0.1])).toBe('[1e+21,1,0,1e-7,0.1]');
    expect(canonicalJson({ b: undefined, a: null })).toBe('{"a":null}');
  });
});
