import { describe, expect, it } from 'vitest';
import { Refusal } from '../../kernel/errors.js';
import { PatientLimit } from './patient-limit.js';

const tooMany = { code: 'TOO_MANY_REQUESTS' };

/** A limit whose time stands still, except during the pauses that it makes. */
function makeLimit(maxWaiting = 100) {
  let nowMs = 0;
  const limit = new PatientLimit(
    'Too many guesses',
    { burst: 10, perSecond: 0.2, pauseMs: 250, maxWaiting },
    async (ms) => void (nowMs += ms),
    () => nowMs,
  );
  const checks = { count: 0 };
  const tryOne = (password: string, key = 'address') =>
    limit.check(key, async () => {
      checks.count += 1;
      return password === 'right' ? 'in' : null;
    });
  return { tryOne, checks, elapsed: () => nowMs, limit };
}

describe('a limit that lets in what is right', () => {
  it('does so after any number of failures, one after the other and side by side', async () => {
    const { tryOne } = makeLimit();
    for (let i = 0; i < 200; i += 1) await tryOne(`wrong ${i}`).catch(() => undefined);
    for (let i = 0; i < 8; i += 1) expect(await tryOne('right')).toBe('in');
    const guesses = Array.from({ length: 50 }, (_, i) => tryOne(`wrong ${i}`));
    expect(await tryOne('right')).toBe('in');
    expect((await Promise.allSettled(guesses)).every(({ status }) => status === 'rejected')).toBe(true);
  });

  it('lets ten failures pass, and then four in a second', async () => {
    const { tryOne, checks, elapsed } = makeLimit();
    for (let i = 0; i < 10; i += 1) expect(await tryOne(`wrong ${i}`)).toBeNull();
    expect(elapsed()).toBe(0);
    await tryOne('the eleventh').catch(() => undefined);
    await expect(tryOne('wrong')).rejects.toMatchObject(tooMany);
    while (elapsed() < 60_000) await tryOne('wrong').catch(() => undefined);
    // In a minute: 240 with a pause after each, and the 12 that one per 5 s allows without.
    expect(checks.count).toBeLessThanOrEqual(10 + 240 + 12);
  });

  it('counts those that run side by side before they end', async () => {
    const { tryOne, elapsed } = makeLimit();
    const outcomes = await Promise.allSettled(Array.from({ length: 30 }, (_, i) => tryOne(`wrong ${i}`)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    expect(elapsed()).toBe(20 * 250);
  });

  it('refuses what would wait behind too many, and counts each key by itself', async () => {
    const { tryOne, checks } = makeLimit(5);
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => tryOne(`wrong ${i}`)));
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(90);
    expect(checks.count).toBe(10 + 1 + 5);
    expect(await tryOne('wrong', 'another')).toBeNull();
  });

  it('does not count what could not be checked, and counts a refusal', async () => {
    const { tryOne, limit, elapsed } = makeLimit();
    const fail = (error: Error) =>
      limit.check('address', async () => {
        throw error;
      });
    for (let i = 0; i < 20; i += 1) await expect(fail(new Error('away'))).rejects.toThrow('away');
    for (let i = 0; i < 20; i += 1) await expect(fail(new Refusal('TOKEN_EXPIRED', 'x'))).rejects.toThrow('x');
    expect(elapsed()).toBeGreaterThanOrEqual(9 * 250);
    expect(await tryOne('right')).toBe('in');
  });
});
