import { describe, expect, it } from 'vitest';
import { KeyedLimit } from './rate-limit.js';

const refusal = { code: 'TOO_MANY_REQUESTS', details: { retryAfterSeconds: 5 } };

describe('a limit for each of many callers', () => {
  it('is one for each, and comes back with time', () => {
    let now = 0;
    const limit = new KeyedLimit('Too much', { burst: 2, perSecond: 0.2 }, () => now);
    limit.take('a');
    limit.take('a');
    expect(() => limit.take('a')).toThrow(expect.objectContaining(refusal));
    limit.take('b');
    now = 5_000;
    limit.take('a');
    expect(() => limit.take('a')).toThrow('Too much. Try again in 5 s.');
  });

  it('can count what has happened, and ask without counting', () => {
    const limit = new KeyedLimit('Too much', { burst: 1, perSecond: 0.2 }, () => 0);
    for (let i = 0; i < 10; i++) limit.requireSome('a');
    limit.countOne('a');
    limit.countOne('a');
    expect(() => limit.requireSome('a')).toThrow(expect.objectContaining(refusal));
    limit.requireSome('b');
  });

  it('takes bounded memory: who was not heard of for longest is forgotten', () => {
    const limit = new KeyedLimit('Too much', { burst: 1, perSecond: 0 }, () => 0);
    limit.countOne('first');
    for (let i = 0; i < 10_000; i++) limit.countOne(String(i));
    limit.requireSome('first');
    expect(() => limit.requireSome('9999')).toThrow('Too much');
  });
});
