import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NonceStore } from '../../../src/platform/peer-calls/nonce-store.js';
import { ServerHome } from '../../support/trusted-server.js';

let home: ServerHome;
beforeAll(async () => {
  home = await ServerHome.create();
});
afterAll(() => home.remove());

const inAMinute = () => new Date(Date.now() + 60_000);

describe('nonces', () => {
  it.each([true, false])('count once, also for the next process (durable: %s)', async (durable) => {
    const nonce = `nonce-${durable}`;
    const remember = () => new NonceStore(home.dataSource).rememberNonce('peer', nonce, inAMinute(), durable);
    const answers = await Promise.all(Array.from({ length: 20 }, remember));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await remember()).toBe(false);
  });

  it("are each sender's own", async () => {
    const nonces = new NonceStore(home.dataSource);
    expect(await nonces.rememberNonce('a', 'same', inAMinute(), true)).toBe(true);
    expect(await nonces.rememberNonce('b', 'same', inAMinute(), true)).toBe(true);
  });

  it('are forgotten when they have expired', async () => {
    const nonces = new NonceStore(home.dataSource);
    await nonces.rememberNonce('peer', 'old', new Date(Date.now() - 1), true);
    await nonces.rememberNonce('peer', 'young', inAMinute(), true);
    await nonces.purgeExpired();
    expect(await nonces.rememberNonce('peer', 'old', inAMinute(), true)).toBe(true);
    expect(await nonces.rememberNonce('peer', 'young', inAMinute(), true)).toBe(false);
  });

  it('leave other writes as durable as they are', async () => {
    await new NonceStore(home.dataSource).rememberNonce('peer', 'quick', inAMinute(), false);
    const settings: { synchronous_commit: string }[] = await home.dataSource.query('SHOW synchronous_commit');
    expect(settings).toEqual([{ synchronous_commit: 'on' }]);
  });
});
