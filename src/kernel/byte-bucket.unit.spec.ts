import { describe, expect, it } from 'vitest';
import { ByteBucket } from './byte-bucket.js';

const KIB = 1024;

/** A bucket with a clock that is moved by hand. */
function bucketOf(bytesPerSecond: number) {
  const clock = { ms: 1_000_000 };
  return { clock, bucket: new ByteBucket(bytesPerSecond, () => clock.ms) };
}

/** `users` take turns, each waiting as it was told; the bytes that passed in each second. */
function flow(bytesPerSecond: number, users: number, seconds: number): number[] {
  const { clock, bucket } = bucketOf(bytesPerSecond);
  const start = clock.ms;
  const ready = Array.from({ length: users }, () => start);
  const passed = Array.from({ length: seconds }, () => 0);
  for (;;) {
    const user = ready.indexOf(Math.min(...ready));
    clock.ms = ready[user] ?? 0;
    const at = clock.ms + bucket.useBytes(bucket.pieceBytes);
    const second = Math.floor((at - start) / 1000);
    if (second >= seconds) return passed;
    passed[second] = (passed[second] ?? 0) + bucket.pieceBytes;
    ready[user] = at;
  }
}

describe('a byte bucket', () => {
  it.each([
    [16 * KIB, 1],
    [64 * KIB, 6],
    [64 * KIB, 16],
    [1024 * KIB, 3],
    [100 * 1024 * KIB, 8],
  ])('lets %d bytes pass each second, shared by %d users', (rate, users) => {
    const [first = 0, ...rest] = flow(rate, users, 10);
    expect(first).toBeLessThanOrEqual(rate * 1.3);
    for (const bytes of rest) expect(Math.abs(bytes - rate)).toBeLessThanOrEqual(rate * 0.07);
  });

  it('keeps no more than a quarter of a second that was not used', () => {
    const { clock, bucket } = bucketOf(64 * KIB);
    bucket.useBytes(KIB);
    clock.ms += 3_600_000;
    expect(bucket.useBytes(16 * KIB)).toBe(0);
    expect(bucket.useBytes(64 * KIB)).toBe(1000);
  });

  it('makes good a timer that came late', () => {
    const { clock, bucket } = bucketOf(64 * KIB);
    clock.ms += bucket.useBytes(32 * KIB) + 100;
    expect(bucket.useBytes(32 * KIB)).toBe(400);
  });

  it('lets many users have a piece often enough at a low rate', () => {
    const { bucket } = bucketOf(16 * KIB);
    const waits = Array.from({ length: 64 }, () => bucket.useBytes(bucket.pieceBytes));
    expect(Math.max(...waits)).toBeLessThan(5_000);
  });

  it('takes on another rate, or none', () => {
    const { bucket } = bucketOf(16 * KIB);
    bucket.useBytes(160 * KIB);
    bucket.bytesPerSecond = Infinity;
    expect(bucket.useBytes(1 << 30)).toBe(0);
    bucket.bytesPerSecond = 64 * KIB;
    expect(bucket.useBytes(16 * KIB)).toBe(0);
    expect(bucket.useBytes(64 * KIB)).toBe(1000);
  });
});
