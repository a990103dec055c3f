import { createServer } from 'node:net';
import { once } from 'node:events';
import { Client } from 'pg';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { ExternalDatabase } from '../../src/adapters/database/external/external-database.js';
import { waitFor } from '../support/wait-for.js';

const urlOf = (change: Partial<{ port: number; password: string; database: string }> = {}): string => {
  const { user, host, ...rest } = inject('postgres');
  const { port, password, database } = { ...rest, ...change };
  return `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}?sslmode=disable`;
};
const failure = (url: string, patience = 300): Promise<unknown> =>
  ExternalDatabase.connect(url, { patience }).catch((error: unknown) => error);

async function asAdmin(sql: string): Promise<void> {
  const client = new Client(inject('postgres'));
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

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

  it.each(['LATIN1', 'SQL_ASCII'])('is refused with the encoding %s', async (encoding) => {
    const name = `encoded_${encoding.toLowerCase()}_${process.pid}`;
    await asAdmin(`CREATE DATABASE ${name} ENCODING '${encoding}' LOCALE 'C' TEMPLATE template0`);
    try {
      expect(await failure(urlOf({ database: name }), 60_000)).toMatchObject({
        name: 'StartupError',
        message: expect.stringMatching(new RegExp(`has the encoding ${encoding}, .* --encoding UTF8`)),
      });
    } finally {
      await asAdmin(`DROP DATABASE ${name} WITH (FORCE)`);
    }
  });

  it('is waited for while it is read-only, and refused to no tool', async () => {
    const name = `read_only_${process.pid}`;
    await asAdmin(`CREATE DATABASE ${name}`);
    try {
      await asAdmin(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
      const url = urlOf({ database: name });
      await ExternalDatabase.connect(url, { patience: 300 });
      const said: string[] = [];
      const stop = new AbortController();
      const onWaiting = (message: string): void => void said.push(message);
      const connecting = ExternalDatabase.connect(url, { patience: 1, signal: stop.signal, onWaiting });
      await waitFor('a word', () => said.length > 0);
      expect(said).toEqual([expect.stringMatching(/^Waiting for the database .*: it is read-only/)]);
      await asAdmin(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
      await connecting;
      expect(said).toHaveLength(1);
    } finally {
      await asAdmin(`DROP DATABASE ${name} WITH (FORCE)`);
    }
  });
});
