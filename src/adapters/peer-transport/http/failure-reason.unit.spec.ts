import { describe, expect, it } from 'vitest';
import { failureReason } from './failure-reason.js';

const withCode = (code: string, cause?: unknown) => Object.assign(new Error('in words of the library', { cause }), { code });

describe('what went wrong on the way to a peer', () => {
  it.each([
    ['HPE_INVALID_EOF_STATE', 'the connection was closed in the middle'],
    ['HPE_INVALID_CONSTANT', 'did not answer with HTTP; is this the right port?'],
    ['ECONNREFUSED', 'connection refused; is it running, and is the port right?'],
  ])('is told in words for an administrator: %s', (code, words) => {
    expect(failureReason(withCode(code))).toBe(words);
    expect(failureReason(withCode('OTHER', withCode(code)))).toBe(words);
  });
});
