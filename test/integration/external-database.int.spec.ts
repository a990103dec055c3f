import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { ExternalDatabase } from '../../src/adapters/database/external/external-database.js';

const urlOf = (change: Partial<{ port: number; password: string; database: string }> = {}): string => {
  const { user, host, ...rest } = inject('postgres');
  const { port, password, database } = { ...rest, ...change };
  return `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}?sslmode=disable`;
};
const failure = (url: string, patience = 300): Promise<unknown> =>
  ExternalDatabase.connect(url, { patience }).catch((error: unknown) => error);

describe('DATABASE_URL', () => {
  const silent = createServer(() => undefined);
  afterEach(() => void silent.close());

  it('is used when it answers', async () => {
    const database = await ExternalDatabase.connect(urlOf());
    expect(database.settings).toEqual(inject('postgres'));
    await database.stop();
  });

  it('is named when it does not, in time and without the password', async () => {
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const error = await failure(urlOf({ port, password: 'secret' }));
    expect(error).toMatchObject({
      name: 'StartupError',
      message: expect.stringContaining(`127.0.0.1:${port} (DATABASE_URL) cannot be used`),
    });
    expect(String(error)).not.toContain('secret');
    expect(await failure(urlOf({ port: 1 }))).toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
  });

  it('does not wait when the password or the database is wrong', async () => {
    expect(await failure(urlOf({ password: 'wrong' }), 60_000)).toMatchObject({
      message: expect.stringContaining('password'),
    });
    expect(await failure(urlOf({ database: 'nowhere' }), 60_000)).toMatchObject({
      message: expect.stringContaining('nowhere'),
    });
  });
});
