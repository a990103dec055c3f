import { describe, expect, it } from 'vitest';
import { BAD_TEXTS } from '../../../../test/support/bad-input.js';
import { normalizeFilename, normalizeUploadName } from './filename.js';

describe('filename', () => {
  it.each(['Firefox 128.0.pkg', 'a', 'ünï.dmg', '日本語.zip', '...', '.hidden', 'a%b', 'x'.repeat(255)])(
    'takes %j',
    (name) => {
      expect(normalizeFilename(name)).toBe(name.normalize('NFC'));
    },
  );

  it('is the same name in NFC and NFD', () => {
    expect(normalizeFilename('u\u0308.pkg')).toBe('\u00fc.pkg');
  });

  it.each([
    ['', 'empty'],
    ['a/b', 'slashes'],
    ['a\\b', 'slashes'],
    ['.', '".."'],
    ['..', '".."'],
    ['a\0b', 'NUL'],
    ['a\nb', 'control'],
    ['a\x7f', 'control'],
    ['a\x85', 'control'],
    [' a', 'white space'],
    ['a ', 'white space'],
    ['a\ud800', 'Unicode'],
    ['ü'.repeat(128), '255 bytes'],
  ])('refuses %j', (name, why) => {
    expect(() => normalizeFilename(name)).toThrow(why);
  });

  it.each(Object.entries(BAD_TEXTS))('refuses %s', (_, name) => {
    expect(() => normalizeFilename(name)).toThrow(/^The filename must /);
  });
});

describe('the filename of an upload', () => {
  it.each(['a.pkg', 'CONSOLE.pkg', 'com10', 'com', 'lpt.pkg', 'xnul', 'a.con', 'nul-1.0.pkg', '.nul', 'u\u0308.pkg'])(
    'takes %j',
    (name) => expect(normalizeUploadName(name)).toBe(name.normalize('NFC')),
  );

  it.each(['CON', 'con', 'Nul.pkg', 'NUL.tar.gz', 'aux .txt', 'PRN', 'COM1', 'com0.pkg', 'LPT9.msi', 'COM¹', 'CONIN$'])(
    'refuses the device %j, which peers of earlier versions may have',
    (name) => {
      expect(() => normalizeUploadName(name)).toThrow('device of Windows');
      expect(normalizeFilename(name)).toBe(name);
    },
  );

  it.each(['a.', '...', 'a.pkg.'])('refuses %j, which ends with a dot', (name) => {
    expect(() => normalizeUploadName(name)).toThrow('end with a dot');
    expect(normalizeFilename(name)).toBe(name);
  });

  it('refuses what no filename may have', () => expect(() => normalizeUploadName('a ')).toThrow('white space'));
});
