import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldText, findUnstorableText, isBaseUrl, isPlain, plainJson } from './text.js';

const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 0x5c, 0x75, 0x30, 0xd83d, 0xde00)), {
    maxLength: 30,
  })
  .map((units) => String.fromCharCode(...units));

describe('plain text', () => {
  it.each(['', 'a', 'ü', '😀', '\u{10ffff}', '\\u0000'])('is %j', (text) => expect(isPlain(text)).toBe(true));
  it.each(['\0', 'a\0', '\ud83d', '\ude00\ud83d', 'a\udfff'])('is not %j', (text) => expect(isPlain(text)).toBe(false));

  it('is looked for everywhere in a value, however deep', () => {
    expect(findUnstorableText([{ a: ['b', 1, null, true] }])).toBeNull();
    const places = new Map<unknown, string>([
      ['\0', ''],
      [['a', '\0'], '[1]'],
      [{ a: { b: '\0' } }, 'a.b'],
      [{ a: [{ b: ['\ud800'] }] }, 'a[0].b[0]'],
      [{ 'x\0': 1 }, 'x\ufffd'],
    ]);
    for (const [value, place] of places) expect(findUnstorableText(value)).toBe(place);
    let deep: unknown = '\0';
    for (let i = 0; i < 200_000; i++) deep = [deep];
    expect(findUnstorableText(deep)).toContain('[0]');
  });

  it('is what remains of JSON, which is otherwise as it was', () => {
    fc.assert(
      fc.property(fc.array(anyText), (texts) => {
        const parsed: unknown = JSON.parse(plainJson(JSON.stringify(texts)));
        const wanted = texts.map((text) => text.replaceAll(/\0|\p{Surrogate}/gu, '\ufffd'));
        expect(parsed).toEqual(wanted);
      }),
    );
  });
});

describe('the base URL of a server', () => {
  it.each([
    'http://127.0.0.1:8080',
    'https://packages.example.com',
    'https://packages.example.com/ods/eu',
    'http://[2001:db8::1]:8080',
    'http://berlin:65535',
  ])('may be %s', (url) => expect(isBaseUrl(url)).toBe(true));

  it.each([
    'http://127.0.0.1:99999',
    'http://[',
    'http://[::1',
    'http://%zz',
    'http://a:b',
    'http://1.2.3.4.5',
    'http://',
    'ftp://a',
    'http://a@b',
    'http://a?b',
    'http://a#b',
    'http://a/',
    'http://a/../b',
    'http://a/%2e%2e/b',
    'http://a b',
    '//a',
    `http://${'a'.repeat(500)}`,
  ])('may not be %s', (url) => expect(isBaseUrl(url)).toBe(false));
});

describe('the form in which texts are compared', () => {
  it.each([
    ['ÜBERSICHT.pkg', 'übersicht.pkg'],
    ['U\u0308bersicht', 'Übersicht'],
    ['ΣΊΣΥΦΟΣ Пакет', 'σίσυφος пакет'],
    ['STRASSE', 'Straße'],
    ['\u1e9b\u0323', '\u1e9b\u0323'],
  ])('makes %j and %j the same', (a, b) => {
    expect(foldText(a)).toBe(foldText(b));
    expect(foldText(foldText(a))).toBe(foldText(a));
  });
});
