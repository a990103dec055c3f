import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareCluster, type Cluster } from '../../../src/adapters/database/embedded/cluster.js';
import { runningSettings } from '../../../src/adapters/database/embedded/embedded-database.js';
import { findBinaries } from '../../../src/adapters/database/embedded/binaries.js';
import { startOrAdopt, shutDown } from '../../../src/adapters/database/embedded/postmaster.js';
import type { DatabaseSettings } from '../../../src/ports/database.port.js';

/** Connections of several processes; what is lost in a power failure does not matter here, time does. */
const OPTIONS = { max_connections: '300', fsync: 'off', full_page_writes: 'off' };

/** A PostgreSQL that somebody else runs, on a port that stays, to be stopped and started. */
export class OutsidePostgres {
  private constructor(
    private readonly folder: string,
    private readonly cluster: Cluster,
    readonly settings: DatabaseSettings,
  ) {}

  static async start(): Promise<OutsidePostgres> {
    const folder = mkdtempSync(join(tmpdir(), 'odst-postgres-'));
    const cluster = await prepareCluster(join(folder, 'postgres'), await findBinaries());
    await startOrAdopt(cluster, 0, OPTIONS);
    const settings = await runningSettings(folder);
    if (!settings) throw new Error('The PostgreSQL that was started does not run');
    return new OutsidePostgres(folder, cluster, { ...settings, database: 'postgres' });
  }

  get url(): string {
    const { user, password, host, port, database } = this.settings;
    return `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
  }

  stop(): Promise<void> {
    return shutDown(this.cluster);
  }

  async restart(): Promise<void> {
    await startOrAdopt(this.cluster, this.settings.port, OPTIONS);
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
