import { Logger } from '@nestjs/common';
import { describe, expect, it, vi } from 'vitest';
import { Gate } from './gate.js';
import { RefusalRecord } from './refusal-record.js';
import { TokenBucket } from './rate-limit.js';

describe('TokenBucket', () => {
  it('lets a burst pass, then so many a second', () => {
    let now = 0;
    const bucket = new TokenBucket(3, 2, () => now);
    const taken = () => Array.from({ length: 5 }, () => bucket.take()).filter(Boolean).length;
    expect(taken()).toBe(3);
    now = 1_000;
    expect(taken()).toBe(2);
    now = 1_000_000;
    expect(taken()).toBe(3);
    now = 0;
    expect(taken()).toBe(0);
  });
});

describe('RefusalRecord', () => {
  it('counts what it does not record and tells it with the next', async () => {
    let now = 0;
    const record = new RefusalRecord(new Logger('test'), new TokenBucket(1, 1, () => now));
    const append = vi.fn<(unrecorded: number) => Promise<void>>().mockResolvedValue();
    for (let i = 0; i < 4; i++) await record.recordOrCount(append);
    now = 1_000;
    await record.recordOrCount(append);
    expect(append.mock.calls).toEqual([[0], [3]]);
  });

  it('keeps the count when the log is away, and does not throw', async () => {
    const logger = new Logger('test');
    vi.spyOn(logger, 'error').mockReturnValue(undefined);
    const record = new RefusalRecord(logger, new TokenBucket(2, 0));
    const append = vi
      .fn<(unrecorded: number) => Promise<void>>()
      .mockRejectedValueOnce(new Error('away'))
      .mockResolvedValue();
    await record.recordOrCount(append);
    await record.recordOrCount(append);
    expect(append.mock.calls).toEqual([[0], [1]]);
  });
});

describe('Gate', () => {
  it('runs a few at once, lets some wait and sends the rest away', async () => {
    const gate = new Gate(2, 1);
    const finish: (() => void)[] = [];
    const work = () => new Promise<void>((resolve) => finish.push(resolve));
    const full = () => new Error('full');
    const running = [gate.run(work, full), gate.run(work, full), gate.run(work, full)];
    await expect(gate.run(work, full)).rejects.toThrow('full');
    expect(finish).toHaveLength(2);
    finish[0]?.();
    await running[0];
    await vi.waitFor(() => expect(finish).toHaveLength(3));
    finish[1]?.();
    finish[2]?.();
    await Promise.all(running);
    const later = gate.run(async () => 'free', full);
    expect(await later).toBe('free');
  });

  it('frees its place after a failure', async () => {
    const gate = new Gate(1, 0);
    const full = () => new Error('full');
    await expect(gate.run(() => Promise.reject(new Error('broken')), full)).rejects.toThrow('broken');
    expect(await gate.run(async () => 1, full)).toBe(1);
  });
});
