import { DatabaseError } from 'pg';
import { describe, expect, it } from 'vitest';
import { QueryFailedError } from 'typeorm';
import { EventStoreUnavailable } from '../../../ports/event-store.port.js';
import { JobQueueUnavailable } from '../../../ports/job-queue.port.js';
import { isTemporary } from '../../../adapters/event-store/postgres/connection.js';
import { kindOfFailure } from '../../failures/failure-kind.js';
import { expectedError, isDatabaseUnavailable, presentCauses } from './public-error.js';

const withCode = (code: string, more: object = {}) => Object.assign(new Error('no'), { code, ...more });

const sqlError = (code: string) => Object.assign(new DatabaseError('no', 0, 'error'), { code });

describe('a database that is away', () => {
  it.each<readonly [string, Error]>([
    ['starting up', withCode('57P03')],
    ['killed, told through TypeORM', new QueryFailedError('SELECT 1', [], withCode('57P01'))],
    ['not listening', withCode('ECONNREFUSED', { syscall: 'connect' })],
    ['without its socket', withCode('ENOENT', { syscall: 'connect' })],
    ['gone in the middle', new Error('Connection terminated unexpectedly')],
    ...[
      'Connection terminated',
      'Connection terminated due to connection timeout',
      'timeout expired',
      'timeout exceeded when trying to connect',
      'Query read timeout',
      'Client has encountered a connection error and is not queryable',
      'Client was closed and is not queryable',
      'Cannot use a pool after calling end on the pool',
    ].map((message) => [message, new Error(message)] as const),
    ...['08006', '57P01', '57014', '53000', '53100', '53200', '53300', '53400', '55P03', '25006'].map(
      (code) => [`SQLSTATE ${code}`, new QueryFailedError('SELECT 1', [], sqlError(code))] as const,
    ),
    ...['40000', '40001', '40003', '40P01'].map(
      (code) => [`a transaction that gave way, ${code}`, new QueryFailedError('COMMIT', [], sqlError(code))] as const,
    ),
    ['out of reach', withCode('EHOSTUNREACH', { syscall: 'connect' })],
    ['without a name', withCode('EAI_AGAIN', { syscall: 'getaddrinfo' })],
    ['told through TypeORM without a code', new QueryFailedError('SELECT 1', [], new Error('Query read timeout'))],
  ])('is told from other errors: %s', (_, error) => {
    expect(isDatabaseUnavailable(error)).toBe(true);
    expect(expectedError(error)).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    // Every other place that asks: what failed so is no fault of an event, and the log tries it again.
    expect(kindOfFailure(error)).toBe('passing');
    const cause = error instanceof QueryFailedError ? error.driverError : error;
    expect(isTemporary(cause)).toBe(true);
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

describe('a cause that does not pass by itself', () => {
  it.each([
    ['a read-only database', '25006', /read-only/],
    ['a full disk of the database', '53100', /disk of the database is full/],
    ['too many connections', '53300', /no more connections/],
  ])('is named: %s', (_, code, words) => {
    for (const error of [
      withCode(code),
      new QueryFailedError('UPDATE x', [], withCode(code)),
      new EventStoreUnavailable(withCode(code)),
      new JobQueueUnavailable(withCode(code)),
      new Error('it failed', { cause: new QueryFailedError('UPDATE x', [], withCode(code)) }),
    ]) {
      const message = expect.stringMatching(words);
      expect(expectedError(error)).toEqual({ status: 503, code: 'UNAVAILABLE', message });
    }
    expect(presentCauses()).toContainEqual(expect.stringMatching(words));
    expect(presentCauses(Date.now() + 60_000)).toEqual([]);
  });

  it.each(['EMFILE', 'ENFILE'])('says when to come back after %s', (code) => {
    const error = withCode(code, { syscall: 'open', path: '/data/packages/x' });
    expect(expectedError(error)).toMatchObject({ status: 503, code: 'UNAVAILABLE', details: { retryAfterSeconds: 5 } });
  });
});
