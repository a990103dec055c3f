import { describe, expect, it } from 'vitest';
import { decodeFormFilename } from './form-filename.js';

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the filename of a form', () => {
  it.each([
    ['Foo 1.0.pkg', 'Foo 1.0.pkg'],
    ['100%.pkg', '100%.pkg'],
    ['a%20b.pkg', 'a%20b.pkg'],
    ['say %22hello%22.pkg', 'say "hello".pkg'],
    [`=?utf-8?B?${base64('Übung/ß🙂.pkg')}?=`, 'Übung/ß🙂.pkg'],
    [`=?UTF-8?b?${base64('Ü')}?= =?utf-8?B?${base64('b.pkg')}?=`, 'Üb.pkg'],
    ['=?utf-8?Q?=C3=9Cber_uns.pkg?=', 'Über uns.pkg'],
    ['=?iso-8859-1?q?=DCber.pkg?=', 'Über.pkg'],
    ['=?utf-8?B', '=?utf-8?B'],
  ])('%s is %s', (sent, filename) => {
    expect(decodeFormFilename(sent)).toBe(filename);
  });

  it.each(['=?utf-8?B?/w==?=', '=?no-such-charset?B?YQ==?='])('%s is refused', (sent) => {
    expect(() => decodeFormFilename(sent)).toThrow(expect.objectContaining({ code: 'INVALID_FILENAME' }));
  });
});
