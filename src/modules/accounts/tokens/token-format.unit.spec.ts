import { expect, it } from 'vitest';
import { addressGroup } from '../../../platform/limits/rate-limit.js';
import { isApiToken, newApiToken } from './token-format.js';

it('an API token is known by its form and checksum', () => {
  const token = newApiToken();
  expect(token).toMatch(/^odst_[\w-]{43}[0-9a-f]{8}$/);
  expect(isApiToken(token)).toBe(true);
  expect(newApiToken()).not.toBe(token);
  const other = token[10] === 'A' ? 'B' : 'A';
  for (const wrong of ['', 'odst_', token.slice(0, -1), `${token}0`, token.slice(0, 10) + other + token.slice(11)]) {
    expect(isApiToken(wrong)).toBe(false);
  }
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['2001:0DB8:0:0:1::', '2001:db8:0:0'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['::1', '0:0:0:0'],
  [null, 'none'],
])('attempts from %s are counted for %s', (address, group) => {
  expect(addressGroup(address)).toBe(group);
});
