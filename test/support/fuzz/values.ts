import * as fc from 'fast-check';

/** Texts that have broken programs before. */
const NASTY = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  '\udfff x',
  '\uFFFD',
  '\u202Egnp.exe',
  'e\u0301',
  '\u00e9',
  'ﬃ',
  '𝕒𝕕𝕞𝕚𝕟',
  'İ',
  'ß',
  '\r\n',
  'a\r\nSet-Cookie: x=1',
  '../../etc/passwd',
  '..',
  '.',
  '/',
  '\\',
  'C:\\x',
  'con',
  'a'.repeat(255),
  'a'.repeat(256),
  'é'.repeat(200),
  'a'.repeat(5_000),
  '%00',
  '%',
  '%ff',
  '%2e%2e%2f',
  "'; DROP TABLE x; --",
  '" OR 1=1',
  '\\x00',
  '$1',
  '{{7*7}}',
  '${x}',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'NaN',
  'true',
  '0',
  '-1',
  '1e309',
  '9007199254740993',
  '99999999999999999999',
  '0x10',
  '[]',
  '{}',
  '*',
  '*)(uid=*',
  'odst_',
  'Bearer x',
];

export const nastyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
  // Lone surrogates, which are no UTF-8.
  {
    weight: 1,
    arbitrary: fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
      .map((units) => String.fromCharCode(...units)),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(...NASTY), fc.constantFrom(...NASTY)).map((parts) => parts.join('')),
  },
);

export const nastyNumber: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    100,
    101,
    2 ** 31 - 1,
    2 ** 31,
    -(2 ** 31),
    -(2 ** 31) - 1,
    2 ** 53,
    -(2 ** 53),
    1e308,
    5e-324,
    0.5,
  ),
  fc.integer(),
);

/** Anything that JSON can say. */
export const nastyJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, [], {}, [[]], [null], { __proto__: null }, { a: { b: {} } }),
  nastyText,
  nastyNumber,
  fc.array(nastyText, { maxLength: 3 }),
  fc.dictionary(nastyText, nastyText, { maxKeys: 3 }),
);

/** Bytes as they may stand in a header: neither the end of a line nor NUL. */
export const headerText: fc.Arbitrary<string> = fc.oneof(
  nastyText.map((text) =>
    Buffer.from(text)
      .toString('latin1')
      .replaceAll(/[\0\r\n]/g, ''),
  ),
  fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)), maxLength: 80 }),
);

/** As a part of a path or a query. */
export const urlText: fc.Arbitrary<string> = nastyText.map((text) =>
  encodeURIComponent(Buffer.from(text.slice(0, 300)).toString()),
);
