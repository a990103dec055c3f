import { describe, expect, it } from 'vitest';
import { StartupError } from '../../../kernel/errors.js';
import { parseDatabaseUrl } from './external-database.js';

describe('DATABASE_URL', () => {
  it('is read in all its parts', () => {
    expect(parseDatabaseUrl('postgres://us%40er:p%2Fw@db.example:6543/packages?sslmode=verify-full')).toEqual({
      host: 'db.example',
      port: 6543,
      user: 'us@er',
      password: 'p/w',
      database: 'packages',
      ssl: true,
    });
    expect(parseDatabaseUrl('postgresql://[::1]/packages')).toMatchObject({
      host: '::1',
      port: 5432,
      user: 'postgres',
      ssl: false,
    });
    expect(parseDatabaseUrl('postgres://db/packages?sslmode=require').ssl).toEqual({ rejectUnauthorized: false });
  });

  it.each([
    '',
    'db:5432',
    'mysql://db/packages',
    'postgres://db',
    'postgres:///packages',
    'postgres://db/packages?sslmode=maybe',
    'postgres://u:%zz@db/packages',
  ])('refuses %j without repeating it', (url) => {
    expect(() => parseDatabaseUrl(url)).toThrow(StartupError);
    expect(() => parseDatabaseUrl(url)).not.toThrow(url || 'nothing');
  });
});
