import { expect, it } from 'vitest';
import { BAD_FORMATS, BAD_TEXTS } from '../../test/support/bad-input.js';
import { isStorableMs, isStorableTime, parseTypedTime } from './input-text.js';

it.each(['1990-01-01T00:00:00.000Z', '2026-01-31T12:00:00Z', '2028-02-29T23:59:59.999Z', '2199-12-31T23:59:59.999Z'])(
  '%s is a time that servers exchange',
  (text) => expect(isStorableTime(text)).toBe(true),
);

const odd = [
  '2026-01-31T12:00Z',
  '2026-01-31T12:00:00+01:00',
  '2026-01-31T12:00:00.1Z',
  '2026-01-31 12:00:00Z',
  '2026-02-29T00:00:00Z',
  '2026-01-31T12:00:60Z',
];

it.each([...Object.values(BAD_TEXTS), ...Object.values(BAD_FORMATS), ...odd].map((text) => [text.slice(0, 50), text]))(
  '%j is none',
  (_, text) => expect(isStorableTime(text)).toBe(false),
);

it.each([
  ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
  ['2026-01-31t12:00:00.123456789z', '2026-01-31T12:00:00.123Z'],
  ['2026-03-01T00:30:00+01:00', '2026-02-28T23:30:00.000Z'],
])('%s is typed for %s', (text, meant) => expect(parseTypedTime(text)?.toISOString()).toBe(meant));

it.each([...Object.values(BAD_TEXTS), ...Object.values(BAD_FORMATS)].map((text) => [text.slice(0, 50), text]))(
  '%j is typed for no time',
  (_, text) => expect(parseTypedTime(text)).toBeNull(),
);

it('is from 1990 to 2199', () => {
  expect([631_151_999_999, 631_152_000_000, 7_258_118_399_999, 7_258_118_400_000].map(isStorableMs)).toEqual([
    false,
    true,
    true,
    false,
  ]);
});
