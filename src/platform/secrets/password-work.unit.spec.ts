import { verify } from '@node-rs/argon2';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { PasswordHashing } from './password-hashing.js';

vi.mock('@node-rs/argon2', async (original) => {
  const real = await original<typeof import('@node-rs/argon2')>();
  return { ...real, verify: vi.fn<typeof real.verify>(real.verify) };
});

describe('checking a password', () => {
  const hashing = new PasswordHashing();
  beforeEach(() => void vi.mocked(verify).mockClear());

  it('takes one run of argon2 at the same cost, whether there is such an account or not', async () => {
    const stored = await hashing.hashPassword('a right password');
    const checks: readonly (readonly [string | null, string, boolean])[] = [
      [stored, 'a right password', true],
      [stored, 'a wrong password', false],
      [null, 'a right password', false],
      [null, '', false],
      [stored, 'x'.repeat(5_000), false],
      [null, 'x'.repeat(5_000), false],
    ];
    const costs = new Set<string | undefined>();
    for (const [hash, password, matches] of checks) {
      vi.mocked(verify).mockClear();
      expect(await hashing.matchesHash(hash, password)).toBe(matches);
      expect(verify).toHaveBeenCalledTimes(1);
      costs.add(/^\$argon2id\$v=\d+\$[^$]+\$/.exec(String(vi.mocked(verify).mock.calls[0]?.[0]))?.[0]);
    }
    expect([...costs]).toEqual([expect.stringContaining('m=19456,t=2,p=1')]);
  });
});
