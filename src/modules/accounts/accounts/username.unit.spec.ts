import { describe, expect, it } from 'vitest';
import { checkedDisplayName, checkedUsername, usernameKey } from './username.js';

const refused = (code: string) => expect.objectContaining({ code });

describe('a username', () => {
  it.each(['a', 'ann', 'Ann.O-Neil_2', 'ann@example.com', 'ann+ci', 'Käthe', '王小明', '7of9', 'x'.repeat(64)])(
    'may be %s',
    (name) => {
      expect(checkedUsername(name)).toBe(name.normalize('NFC'));
    },
  );

  it.each(['', ' ', 'a b', '.a', '-a', '@', 'a/b', 'a\\b', 'a\u0000', 'a\u202eb', 'a<b', 'x'.repeat(65)])(
    'may not be %j',
    (name) => {
      expect(() => checkedUsername(name)).toThrow(refused('INVALID_USERNAME'));
    },
  );

  it('is the same however it is written', () => {
    for (const same of ['KÄTHE', 'ka\u0308the', 'Käthe', 'ｋäthe']) expect(usernameKey(same)).toBe('käthe');
    expect(usernameKey('kathe')).not.toBe('käthe');
  });
});

it('a display name has no control characters and no spaces around it', () => {
  expect(checkedDisplayName('  Ann  O’Neil ')).toBe('Ann  O’Neil');
  expect([checkedDisplayName(null), checkedDisplayName(' ')]).toEqual([null, null]);
  for (const bad of ['a\nb', 'x'.repeat(101)])
    expect(() => checkedDisplayName(bad)).toThrow(refused('INVALID_REQUEST'));
});
