import { describe, expect, it } from 'vitest';
import { Refusal } from '../../kernel/errors.js';
import { TokenTries } from './authenticator.js';

const tooMany = { code: 'TOO_MANY_REQUESTS' };
const right = async (): Promise<string | null> => 'somebody';
const wrong = async (): Promise<string | null> => null;

describe('tokens that are not valid', () => {
  const guess = (tries: TokenTries, count: number, answer = wrong) =>
    Promise.allSettled(Array.from({ length: count }, (_, i) => tries.checkToken(`guess ${i}`, '192.0.2.1', answer)));

  it('are not looked up any more after a hundred, at that address', async () => {
    const tries = new TokenTries();
    await guess(tries, 100);
    await expect(tries.checkToken('guess', '192.0.2.1', right)).rejects.toMatchObject(tooMany);
    expect(await tries.checkToken('token', '192.0.2.2', right)).toBe('somebody');
  });

  it('hold up nobody whose token was valid a moment ago', async () => {
    const tries = new TokenTries();
    await tries.checkToken('token', '192.0.2.1', right);
    await guess(tries, 100);
    expect(await tries.checkToken('token', '192.0.2.1', right)).toBe('somebody');
    // It was revoked.
    expect(await tries.checkToken('token', '192.0.2.1', wrong)).toBeNull();
    await expect(tries.checkToken('token', '192.0.2.1', right)).rejects.toMatchObject(tooMany);
  });

  it('are also those that have expired, but not those that nobody could look up', async () => {
    const tries = new TokenTries();
    await guess(tries, 200, () => Promise.reject(new Error('The database is away')));
    expect(await tries.checkToken('token', '192.0.2.1', right)).toBe('somebody');
    await guess(tries, 100, () => Promise.reject(new Refusal('TOKEN_EXPIRED', 'Expired')));
    await expect(tries.checkToken('other', '192.0.2.1', right)).rejects.toMatchObject(tooMany);
  });
});
