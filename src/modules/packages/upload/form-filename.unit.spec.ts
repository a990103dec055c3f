import { describe, expect, it } from 'vitest';
import { filenameOfPart, parseParameters } from './form-filename.js';

const base64 = (text: string) => Buffer.from(text).toString('base64');
/** The characters of a header are its bytes. */
const sentAs = (text: string) => Buffer.from(text).toString('latin1');

const filenameIn = (disposition: string) => {
  const parameters = parseParameters(disposition);
  return parameters && filenameOfPart(parameters);
};

describe('the filename of a form', () => {
  it.each([
    ['Foo 1.0.pkg', 'Foo 1.0.pkg'],
    ['Über 🙂.pkg', 'Über 🙂.pkg'],
    ['a;b=c.pkg', 'a;b=c.pkg'],
    ['100%.pkg', '100%.pkg'],
    ['a%20b.pkg', 'a%20b.pkg'],
    ['say %22hello%22.pkg', 'say "hello".pkg'],
    [String.raw`say \"hello\".pkg`, 'say "hello".pkg'],
    [String.raw`C:\Foo.pkg`, String.raw`C:\Foo.pkg`],
    [`=?utf-8?B?${base64('Übung/ß🙂.pkg')}?=`, 'Übung/ß🙂.pkg'],
    [`=?UTF-8?b?${base64('Ü')}?= =?utf-8?B?${base64('b.pkg')}?=`, 'Üb.pkg'],
    ['=?utf-8?Q?=C3=9Cber_uns.pkg?=', 'Über uns.pkg'],
    ['=?iso-8859-1?q?=DCber.pkg?=', 'Über.pkg'],
    ['=?utf-8?B', '=?utf-8?B'],
    ['', ''],
  ])('%s in quotation marks is %s', (sent, filename) => {
    expect(filenameIn(`form-data; name="file"; filename="${sentAs(sent)}"`)).toBe(filename);
  });

  it.each([
    ['Foo.pkg', 'Foo.pkg'],
    ['Foo bar  2.pkg', 'Foo bar  2.pkg'],
    ['  Foo bar.pkg ', 'Foo bar.pkg'],
    ['Über.pkg', 'Über.pkg'],
    ['a%22b.pkg', 'a"b.pkg'],
    [`=?utf-8?B?${base64('ä.pkg')}?=`, 'ä.pkg'],
  ])('%s without quotation marks is %s', (sent, filename) => {
    for (const disposition of [`form-data; name=file; filename=${sent}`, `form-data;filename=${sent};name="file"`])
      expect(filenameIn(sentAs(disposition))).toBe(filename);
  });

  it.each([
    [`"=?utf-8?B?${base64('Ü/b.pkg')}?="`, "utf-8''%C3%9C%20b.pkg", 'Ü b.pkg'],
    ['"Uber.pkg"', "UTF-8'de'%c3%9cber%22.pkg", 'Über".pkg'],
    ['"\xff.pkg"', "utf-8''plain.pkg", 'plain.pkg'],
    ['"x.pkg"', "iso-8859-1''%DCber.pkg", 'Über.pkg'],
    ['"x.pkg"', `"utf-8''quoted%25.pkg"`, 'quoted%.pkg'],
  ])('%s beside filename*=%s is %s, in both orders', (plain, extended, filename) => {
    expect(filenameIn(`form-data; name="file"; filename=${plain}; filename*=${extended}`)).toBe(filename);
    expect(filenameIn(`form-data; name="file"; FileName* = ${extended}; filename=${plain}`)).toBe(filename);
    expect(filenameIn(`form-data; filename*=${extended}; name="file"`)).toBe(filename);
  });

  it.each([
    'filename="=?utf-8?B?/w==?="',
    'filename="=?no-such-charset?B?YQ==?="',
    'filename="\xff.pkg"',
    'filename="a%0Ab.pkg"',
    "filename*=utf-8''%ff.pkg",
    "filename*=utf-8''100%.pkg",
    'filename="x.pkg"; filename*=no-such-charset\'\'x.pkg',
    'filename="x.pkg"; filename*=x.pkg',
    'filename*0="a"; filename*1="b.pkg"',
    "filename=x.pkg; filename*0*=utf-8''a; filename*1=b.pkg",
  ])('is refused as %s', (sent) => {
    expect(() => filenameIn(`form-data; name="file"; ${sent}`)).toThrow(
      expect.objectContaining({ code: 'INVALID_FILENAME' }),
    );
  });

  it.each([
    'filename="Foo.pkg',
    String.raw`filename="Foo\"`,
    'filename="Foo" bar.pkg',
    'filename="say "hello".pkg"',
    'filename=Foo "bar".pkg',
    'filename=a;b.pkg',
    'filename="a.pkg"; filename="b.pkg"',
    'filename="a.pkg"; FILENAME=b.pkg',
    'filename',
  ])('%s cannot be read', (sent) => {
    expect(parseParameters(`form-data; name="file"; ${sent}`)).toBeNull();
  });

  it.each(['form-data', 'form-data;', 'form-data; name="file"; ;', ''])('is not there in %j', (disposition) => {
    expect(filenameIn(disposition)).toBeNull();
  });
});
