/** Texts that no field may have, whatever it means. */
export const BAD_TEXTS: Readonly<Record<string, string>> = {
  NUL: '\0',
  'NUL inside': 'a\0b',
  'half of a pair, high': '\ud800',
  'half of a pair, low': 'a\udfff',
  'a pair the wrong way round': '\ude00\ud83d',
  'start of heading': 'a\u0001',
  'a bell': '\u0007',
  'a tab': 'a\tb',
  'a line feed': 'a\nb',
  'the end of a header': 'a\r\nSet-Cookie: x=1',
  'an escape sequence': '\u001b[31mred',
  delete: 'a\u007f',
  'next line': 'a\u0085',
  'control sequence of C1': '\u009b31m',
  'Arabic letter mark': 'a\u061c',
  'left-to-right mark': 'a\u200e',
  'right-to-left mark': 'a\u200f',
  'left-to-right embedding': 'a\u202a',
  'right-to-left embedding': 'a\u202b',
  'end of an embedding': 'a\u202c',
  'left-to-right override': 'a\u202d',
  'right-to-left override': 'a\u202egnp.exe',
  'left-to-right isolate': 'a\u2066',
  'right-to-left isolate': 'a\u2067',
  'first strong isolate': 'a\u2068',
  'end of an isolate': 'a\u2069',
  'line separator': 'a\u2028',
  'paragraph separator': 'a\u2029',
  'too long': 'a'.repeat(40_000),
};

/** Not in Unicode normal form C. */
export const OTHER_FORM = 'e\u0301';

/** Texts that no field with a format may have, such as a time, a digest or an id. A name may have them. */
export const BAD_FORMATS: Readonly<Record<string, string>> = {
  nothing: '',
  blank: ' ',
  'another normal form': OTHER_FORM,
  'year 0': '0000-01-01T00:00:00.000Z',
  'a year before 0': '-000001-01-01T00:00:00.000Z',
  'year 275760': '+275760-09-13T00:00:00.000Z',
  'the end of what Date can say': '+275760-09-13T00:00:00.001Z',
  '1969': '1969-12-31T23:59:59.999Z',
  '2200': '2200-01-01T00:00:00.000Z',
  '30 February': '2026-02-30T00:00:00.000Z',
  'the 29th of a February without one': '2027-02-29T00:00:00.000Z',
  'hour 24': '2026-01-01T25:00:00.000Z',
  'no time': '2026-01-01',
  invalid: 'Invalid',
  'an invalid date': 'Invalid Date',
  'a negative number': '-1',
  '2^53': '9007199254740993',
  'not a number': 'NaN',
  'a stamp of 1970': '000000000000-0000-a',
  'a stamp of the year 10889': 'ffffffffffff-0000-a',
  'too many digits': '99999999999999999999',
  'a path': '../../etc/passwd',
};

/** Values that no number may be. */
export const BAD_NUMBERS: Readonly<Record<string, unknown>> = {
  negative: -1,
  'not whole': 0.5,
  '2^53': 2 ** 53,
  '-2^53': -(2 ** 53),
  huge: 1e308,
  infinite: Number.POSITIVE_INFINITY,
  'not a number': Number.NaN,
  'a text': '1',
  nothing: '',
  truth: true,
  list: [],
  object: {},
};

/** Values that no text may be. */
export const BAD_TYPES: Readonly<Record<string, unknown>> = {
  number: 0,
  huge: 2 ** 53,
  truth: true,
  list: ['a'],
  object: {},
};
