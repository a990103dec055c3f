import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { checkRedis } from '../../../src/adapters/job-queue/bull/bull-queue.module.js';
import { redisOptions } from '../../../src/adapters/job-queue/bull/queue-options.js';
import { findFreePort } from '../../../src/cli/demo/server-process.js';
import { lacksRedis, RedisUnderTest } from '../../support/redis.js';

const failure = (url: string, patience = 400): Promise<unknown> =>
  checkRedis(url, { timeoutMs: patience }).catch((error: unknown) => error);
const saying = (text: string) => ({ name: 'StartupError', message: expect.stringContaining(text) });

describe('REDIS_URL', () => {
  let silent: Server | null = null;
  afterEach(() => void silent?.close());

  it('names host, port, database, user, password and TLS', () => {
    expect(redisOptions('redis://queue.example')).toMatchObject({ host: 'queue.example', port: 6379, db: 0 });
    expect(redisOptions('redis://queue.example')).not.toHaveProperty('tls');
    expect(redisOptions('rediss://ods:p%40ss@[::1]:7000/3')).toMatchObject({
      host: '::1',
      port: 7000,
      db: 3,
      username: 'ods',
      password: 'p@ss',
      tls: { servername: '::1' },
    });
    expect(redisOptions('redis://:secret@queue.example')).not.toHaveProperty('username');
  });

  it('is named in one line without the password when nobody is there, or nobody answers', async () => {
    const port = await findFreePort(0);
    const error = await failure(`redis://ods:secret@127.0.0.1:${port}/0`);
    expect(error).toMatchObject(saying(`Redis at 127.0.0.1:${port} (REDIS_URL) cannot be used: connect ECONNREFUSED`));
    expect(String(error)).not.toMatch(/secret|\n/);
    silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    expect(await failure(`redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`)).toMatchObject(
      saying('(REDIS_URL) cannot be used: '),
    );
  });

  describe.skipIf(lacksRedis())('with Redis', () => {
    let redis: RedisUnderTest;
    afterEach(() => redis.dispose());

    it('is waited for', async () => {
      redis = await RedisUnderTest.start();
      await redis.kill();
      const checked = checkRedis(redis.url);
      await redis.restart();
      await checked;
    });

    it('does not wait when the password or the database is wrong', async () => {
      redis = await RedisUnderTest.start('--requirepass', 'right');
      await checkRedis(`redis://:right@127.0.0.1:${redis.port}/1`);
      for (const url of [`redis://:wrong@127.0.0.1:${redis.port}`, redis.url]) {
        expect(await failure(url, 60_000)).toMatchObject(
          saying(`127.0.0.1:${redis.port} (REDIS_URL) cannot be used: `),
        );
      }
      expect(await failure(`redis://:right@127.0.0.1:${redis.port}/99`, 60_000)).toMatchObject(
        saying('cannot be used'),
      );
    });

    it('is refused when it would drop keys', async () => {
      redis = await RedisUnderTest.start('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru');
      expect(await failure(redis.url, 60_000)).toMatchObject(
        saying('Set its maxmemory-policy from allkeys-lru to noeviction'),
      );
    });
  });
});
