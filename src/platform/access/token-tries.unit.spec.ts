import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusal } from '../../kernel/errors.js';
import { TokenTries } from './authenticator.js';

const tooMany = { code: 'TOO_MANY_REQUESTS' };
const right = async (): Promise<string | null> => 'somebody';
const wrong = async (): Promise<string | null> => null;

// The limit is counted in a time that stands still.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => void vi.useRealTimers());

describe('tokens that are not valid', () => {
  const guess = (tries: TokenTries, count: number, answer = wrong) =>
    Promise.allSettled(Array.from({ length: count }, () => tries.checkToken('192.0.2.1', answer)));

  it('are too many after a hundred, at that address', async () => {
    const tries = new TokenTries();
    await guess(tries, 100);
    await expect(tries.checkToken('192.0.2.1', wrong)).rejects.toMatchObject(tooMany);
    expect(await tries.checkToken('192.0.2.2', wrong)).toBeNull();
  });

  it('hold up no valid one, which was never seen before, at the same address', async () => {
    const tries = new TokenTries();
    await guess(tries, 1000);
    for (let i = 0; i < 8; i += 1) expect(await tries.checkToken('192.0.2.1', right)).toBe('somebody');
    await expect(tries.checkToken('192.0.2.1', wrong)).rejects.toMatchObject(tooMany);
  });

  it('hold up no valid one that comes while thousands of them are being looked up', async () => {
    const tries = new TokenTries();
    const slowly = async () => {
      await new Promise(setImmediate);
      return null;
    };
    const guesses = guess(tries, 3000, slowly);
    expect(await Promise.all(Array.from({ length: 8 }, () => tries.checkToken('192.0.2.1', right)))).toEqual(
      Array.from({ length: 8 }, () => 'somebody'),
    );
    const refused = (await guesses).filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(2900);
  });

  it('are looked up one after the other beyond the limit', async () => {
    const tries = new TokenTries();
    await guess(tries, 100);
    let [running, most] = [0, 0];
    await guess(tries, 100, async () => {
      most = Math.max(most, (running += 1));
      await new Promise(setImmediate);
      running -= 1;
      return null;
    });
    expect(most).toBe(1);
  });

  it('are also those that have expired, but not those that nobody could look up', async () => {
    const tries = new TokenTries();
    await guess(tries, 200, () => Promise.reject(new Error('The database is away')));
    expect(await tries.checkToken('192.0.2.1', wrong)).toBeNull();
    await guess(tries, 100, () => Promise.reject(new Refusal('TOKEN_EXPIRED', 'Expired')));
    await expect(tries.checkToken('192.0.2.1', wrong)).rejects.toMatchObject(tooMany);
  });
});
