import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findFreePort } from '../../src/cli/demo/server-process.js';
import { waitFor } from './wait-for.js';

const IS_INSTALLED = spawnSync('redis-server', ['--version']).status === 0;

/** Whether specs that need Redis are left out, which says so. In CI they are not: there they fail. */
export function lacksRedis(): boolean {
  const isLeftOut = !IS_INSTALLED && !process.env['CI'];
  if (isLeftOut) process.stderr.write('redis-server is not on PATH: what needs Redis is not tested\n');
  return isLeftOut;
}

export const hasRedis = (): boolean => IS_INSTALLED;

/** A redis-server of a test's own, in a temporary folder. What it holds outlives `stop`, not `kill`. */
export class RedisUnderTest {
  private readonly folder = mkdtempSync(join(tmpdir(), 'odst-redis-'));
  private child: ChildProcess | null = null;

  private constructor(
    readonly port: number,
    private readonly options: readonly string[],
  ) {}

  /** `options` as on the command line of redis-server. */
  static async start(...options: string[]): Promise<RedisUnderTest> {
    const redis = new RedisUnderTest(await findFreePort(0), options);
    await redis.restart();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it again on the same port. */
  async restart(): Promise<void> {
    const fixed = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.folder, '--save', '3600 1'];
    const child = spawn('redis-server', [...fixed, ...this.options], { stdio: 'ignore' });
    this.child = child;
    // A test that fails halfway leaves none behind.
    const kill = (): boolean => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    await waitFor('redis-server to answer', () => this.ask((redis) => redis.ping().then(() => true, isRefused)));
  }

  /** An orderly end: its data is written to the folder before. */
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }

  /** It loses what it did not write yet, which is all with these options. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async flushAll(): Promise<void> {
    await this.ask((redis) => redis.flushall());
  }

  keys(): Promise<string[]> {
    return this.ask((redis) => redis.keys('*'));
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(this.port, '127.0.0.1', {
      lazyConnect: true,
      enableReadyCheck: false,
      retryStrategy: () => null,
    });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

/** A server that wants a password answers too. */
const isRefused = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOAUTH');
