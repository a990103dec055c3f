import { describe, expect, it } from 'vitest';
import { BAD_TEXTS, OTHER_FORM } from '../../test/support/bad-input.js';
import { cleanText, cutText, encodesBytes, findCharacterFault, findTextFault } from './input-text.js';

const rules = { max: 100 };

describe('a text from outside', () => {
  it.each(['', 'a', 'Bérlin 1', '東京', '😀', 'مرحبا', 'a'.repeat(100)])('may be %j', (text) =>
    expect(findTextFault(text, rules)).toBeNull(),
  );

  it.each(Object.entries(BAD_TEXTS))('may not have %s', (_, text) =>
    expect(findTextFault(text, rules)).toMatch(/^must /),
  );

  it('is bound in its length, counted as JavaScript counts', () => {
    expect(findTextFault('😀'.repeat(50), rules)).toBeNull();
    expect(findTextFault('😀'.repeat(51), rules)).toBe('must be at most 100 characters long');
    expect(findTextFault('', { min: 1, max: 5 })).toBe('must have 1 to 5 characters');
    expect(findTextFault('  ', { min: 1, max: 5 })).toBe('must not be blank');
  });

  it('is in normal form C, unless any form will do', () => {
    expect(findTextFault(OTHER_FORM, rules)).toMatch(/normal form C/);
    expect(findTextFault(OTHER_FORM, { ...rules, anyForm: true })).toBeNull();
  });

  it('may have lines and tabs where it may have lines, and nothing else of that kind', () => {
    expect(findTextFault('a\n\tb', { ...rules, lines: true })).toBeNull();
    for (const text of ['a\r\nb', 'a\0', 'a\u0085', 'a\u2028b', 'a\u202e'])
      expect(findTextFault(text, { ...rules, lines: true })).toMatch(/^must /);
  });
});

describe('a text that is only noted', () => {
  it.each(Object.entries(BAD_TEXTS))('is stored and shown whatever it has: %s', (_, text) => {
    const clean = cleanText(`${text}${text}`, 50);
    expect(clean.length).toBeLessThanOrEqual(50);
    expect(findCharacterFault(clean)).toBeNull();
  });

  it('is cut between characters', () => {
    expect(cutText('a😀b', 2)).toBe('a');
    expect(cutText('a😀b', 3)).toBe('a😀');
    expect(cleanText('a😀b', 2)).toBe('a');
    expect(cleanText('Bérlin', 50)).toBe('Bérlin');
  });
});

describe('bytes as text', () => {
  it.each([0, 1, 2, 3, 20, 32, 64, 65])('%i of them are written in one way', (bytes) => {
    const all = Buffer.alloc(bytes, 0xff);
    for (const how of ['base64', 'base64url'] as const) {
      expect(encodesBytes(all.toString(how), bytes, how)).toBe(true);
      expect(encodesBytes(Buffer.alloc(bytes + 1).toString(how), bytes, how)).toBe(false);
      expect(encodesBytes(`${all.toString(how)}=`, bytes, how)).toBe(false);
    }
  });

  it('have no bits beyond them', () => {
    expect(encodesBytes(`${'A'.repeat(42)}B`, 32, 'base64url')).toBe(false);
    expect(encodesBytes('AB==', 1, 'base64')).toBe(false);
    expect(encodesBytes('AAB=', 2, 'base64')).toBe(false);
  });

  it('are not of the other alphabet', () => {
    expect(encodesBytes('__8', 2, 'base64')).toBe(false);
    expect(encodesBytes('//8', 2, 'base64url')).toBe(false);
    expect(encodesBytes('__8', 2, 'base64url')).toBe(true);
  });
});
