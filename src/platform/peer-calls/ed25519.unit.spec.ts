import { describe, expect, it } from 'vitest';
import { keyFingerprint } from './ed25519.js';

describe('the fingerprint of a key', () => {
  it('is the beginning of the SHA-256 digest of its bytes, in groups of four', () => {
    // printf of 32 zero bytes | sha256sum: 66687aadf862bd776c8fc18b8e9f8e20…
    expect(keyFingerprint('A'.repeat(43))).toBe('6668 7aad f862 bd77 6c8f c18b');
  });

  it('differs when one bit of the key differs', () => {
    expect(keyFingerprint(`B${'A'.repeat(42)}`)).not.toBe(keyFingerprint('A'.repeat(43)));
  });
});
