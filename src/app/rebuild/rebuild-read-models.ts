import type { DataSource } from 'typeorm';
import type { FoldProgress } from '../../platform/projections/running/fold.js';
import { Rebuild } from '../../platform/projections/running/rebuild.js';
import type { DatabaseSettings } from '../../ports/database.port.js';
import type { EventStore } from '../../ports/event-store.port.js';
import type { Locks } from '../../ports/locks.port.js';
import { connectReadSchema } from '../database/connect-read-schema.js';
import { allProjections } from './read-models.js';

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
