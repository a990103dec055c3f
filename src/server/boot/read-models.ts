import type { DataSource } from 'typeorm';
import { AccountsProjection } from '../../modules/accounts/accounts/accounts.projection.js';
import { AuditProjection } from '../../modules/audit/trail/audit.projection.js';
import { ChunksProjection } from '../../modules/packages/read-model/chunks.projection.js';
import { PackagesProjection } from '../../modules/packages/read-model/packages.projection.js';
import { PeersProjection } from '../../modules/peers/registry/peers.projection.js';
import { ReplicasProjection } from '../../modules/replication/read-model/replicas.projection.js';
import { ServerSettingsProjection } from '../../modules/server/server-settings.projection.js';
import type { Projection } from '../../platform/eventsourcing/projection.js';
import { type FoldProgress, Rebuild } from '../../platform/eventsourcing/rebuild.js';
import type { DatabaseSettings } from '../../ports/database.port.js';
import type { EventStore } from '../../ports/event-store.port.js';
import type { Locks } from '../../ports/locks.port.js';
import { connectReadSchema } from './data-source.js';

/** All read models, for tools that build them outside the running server. A test compares it with the source tree. */
export const allProjections = (): readonly Projection[] => [
  new PackagesProjection(),
  new ChunksProjection(),
  new ReplicasProjection(),
  new PeersProjection(),
  new ServerSettingsProjection(),
  new AccountsProjection(),
  new AuditProjection(),
];

export interface RebuildOptions {
  readonly progress?: FoldProgress;
  /** Nothing is done when another process has done it meanwhile. */
  readonly onlyOutdated?: boolean;
}

/**
 * Builds every read model anew from the log and puts it in the place of the old one, see Rebuild; one process of a
 * server at a time.
 */
export async function rebuildReadModels(
  database: DatabaseSettings,
  store: EventStore,
  locks: Locks,
  { progress, onlyOutdated = false }: RebuildOptions = {},
): Promise<void> {
  const [live, next] = [await connectReadSchema(database, 'read'), await connectReadSchema(database, 'read_next')];
  const rebuild = async (): Promise<void> => {
    if (onlyOutdated && !(await readModelsAreOutdated(live))) return;
    await new Rebuild(live, next, allProjections(), store, progress).run();
  };
  try {
    await locks.hold('rebuild', new AbortController().signal, rebuild);
  } finally {
    await Promise.all([live.destroy(), next.destroy()]);
  }
}

/** Are there rows made by another version of a projection than this program's? */
export async function readModelsAreOutdated(dataSource: DataSource): Promise<boolean> {
  const rows: { projection: string; version: number }[] = await dataSource.query(
    'SELECT projection, version FROM checkpoints WHERE cursor IS NOT NULL',
  );
  const versions = new Map(rows.map((row) => [row.projection, row.version]));
  return allProjections().some(({ name, version }) => versions.has(name) && versions.get(name) !== version);
}
