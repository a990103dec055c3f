import { describe, expect, it } from 'vitest';
import { FailedAttempts } from './failed-attempts.js';

describe('FailedAttempts', () => {
  const failing = (times: number, at = 0): FailedAttempts => {
    const attempts = new FailedAttempts();
    for (let i = 0; i < times; i++) attempts.failed('here admin', at);
    return attempts;
  };

  it('lets a few mistakes pass', () => {
    expect(() => failing(4).check('here admin', 0)).not.toThrow();
  });

  it('makes longer and longer pauses, up to a minute', () => {
    const pause = (times: number) => {
      const attempts = failing(times);
      return [1, 2, 4, 60].find((seconds) => {
        try {
          attempts.check('here admin', seconds * 1000);
          return true;
        } catch {
          return false;
        }
      });
    };
    expect([5, 6, 7, 50].map(pause)).toEqual([1, 2, 4, 60]);
  });

  it('concerns one address and name, and ends with a success', () => {
    const attempts = failing(10);
    expect(() => attempts.check('here admin', 0)).toThrow(expect.objectContaining({ code: 'TOO_MANY_REQUESTS' }));
    expect(() => attempts.check('elsewhere admin', 0)).not.toThrow();
    attempts.succeeded('here admin');
    expect(() => attempts.check('here admin', 0)).not.toThrow();
  });
});
