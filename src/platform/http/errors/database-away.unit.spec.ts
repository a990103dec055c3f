import { describe, expect, it } from 'vitest';
import { QueryFailedError } from 'typeorm';
import { expectedError, isDatabaseUnavailable } from './public-error.js';

const withCode = (code: string, more: object = {}) => Object.assign(new Error('no'), { code, ...more });

describe('a database that is away', () => {
  it.each([
    ['starting up', withCode('57P03')],
    ['killed, told through TypeORM', new QueryFailedError('SELECT 1', [], withCode('57P01'))],
    ['not listening', withCode('ECONNREFUSED', { syscall: 'connect' })],
    ['without its socket', withCode('ENOENT', { syscall: 'connect' })],
    ['gone in the middle', new Error('Connection terminated unexpectedly')],
    ['mute', new Error('timeout exceeded when trying to connect')],
  ])('is told from other errors: %s', (_, error) => {
    expect(isDatabaseUnavailable(error)).toBe(true);
    expect(expectedError(error)).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
  });

  it.each([
    ['a missing file', withCode('ENOENT', { syscall: 'open' })],
    ['a wrong query', new QueryFailedError('SELECT x', [], withCode('42703'))],
    ['anything else', new Error('no')],
    ['no error at all', 'no'],
  ])('is not %s', (_, error) => {
    expect(isDatabaseUnavailable(error)).toBe(false);
    expect(expectedError(error)).toBeNull();
  });
});
