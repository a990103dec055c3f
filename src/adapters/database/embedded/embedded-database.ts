import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { backoffMs } from '../../../kernel/retry.js';
import { Database, type DatabaseSettings } from '../../../ports/database.port.js';
import { messageOf } from '../../shared/errors.js';
import { findBinaries } from './program/binaries.js';
import { prepareCluster, SUPERUSER, type Cluster } from './cluster.js';
import { lockDataFolder } from './guard.js';
import { bringUp, shutDown, type ServerOptions } from './server/postmaster.js';
import { limitLogSize } from './server/server-log.js';

const DATABASE_NAME = 'odst';

export interface EmbeddedOptions {
  /** PostgreSQL settings on top of ours, for tests. */
  readonly settings?: ServerOptions;
  /** Told when PostgreSQL was lost and when it is back. */
  readonly onEvent?: (message: string) => void;
}

/**
 * A real PostgreSQL in `<dataDir>/postgres`, started here, or taken over from a process that was killed. It listens on
 * a free loopback port, is started again when it dies, and stops with `stop()`.
 */
export class EmbeddedDatabase extends Database {
  private stopping = false;
  private recovery: Promise<void> = Promise.resolve();
  private readonly stopBounding: () => void;

  private constructor(
    readonly settings: DatabaseSettings,
    private readonly cluster: Cluster,
    private readonly dataDir: string,
    private guard: Client,
    private readonly options: EmbeddedOptions,
  ) {
    super();
    this.stopBounding = limitLogSize(cluster.logFile, (error) =>
      this.say(`Its log cannot be bounded: ${messageOf(error)}`),
    );
    this.watch();
  }

  /** @throws StartupError with one line that says what to change */
  static async start(dataDir: string, options: EmbeddedOptions = {}): Promise<EmbeddedDatabase> {
    const cluster = await prepareCluster(join(dataDir, 'postgres'), await findBinaries());
    const { port } = await bringUp(cluster, 0, options.settings ?? {});
    const settings = settingsOf(cluster.password, port);
    const guard = await lockDataFolder(settings, dataDir);
    return new EmbeddedDatabase(settings, cluster, dataDir, guard, options);
  }

  override async stop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    this.stopBounding();
    await this.recovery;
    await shutDown(this.cluster);
    await this.guard.end().catch(() => undefined);
  }

  private watch(): void {
    this.guard.once('end', () => {
      if (!this.stopping) this.recovery = this.recover();
    });
  }

  private async recover(): Promise<void> {
    this.say('The connection to PostgreSQL was lost');
    for (let attempt = 1; !this.stopping; attempt++) {
      try {
        await bringUp(this.cluster, this.settings.port, this.options.settings ?? {});
        this.guard = await lockDataFolder(this.settings, this.dataDir);
        this.watch();
        return this.say('PostgreSQL is back');
      } catch (error) {
        this.say(`PostgreSQL cannot be started again: ${messageOf(error)}`);
        await delay(backoffMs(attempt, 250, 5000, Math.random()));
      }
    }
  }

  private say(message: string): void {
    this.options.onEvent?.(message);
  }
}

export const settingsOf = (password: string, port: number): DatabaseSettings => ({
  host: '127.0.0.1',
  port,
  user: SUPERUSER,
  password,
  database: DATABASE_NAME,
  ssl: false,
});
