import type { DataSource } from 'typeorm';
import type { Projection } from '../../platform/eventsourcing/projection.js';
import { type FoldProgress, Rebuild } from '../../platform/eventsourcing/rebuild.js';
import { hasFailuresOfOtherProgram } from '../../platform/eventsourcing/unprocessable-events.js';
import type { DatabaseSettings } from '../../ports/database.port.js';
import type { EventStore } from '../../ports/event-store.port.js';
import type { Locks } from '../../ports/locks.port.js';
import { MODULES } from '../app.module.js';
import { findProjections } from '../discovery.js';
import { connectReadSchema } from './data-source.js';

/** New instances of all projections, for tools that build read models outside the running server. */
export const allProjections = (): readonly Projection[] => findProjections(MODULES);

export interface RebuildOptions {
  readonly progress?: FoldProgress;
  /** Does nothing when another process has rebuilt them in the meantime. */
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

/**
 * Are there rows that another version of a projection has written, or events that a projection of another version of the
 * program could not process?
 */
export async function readModelsAreOutdated(dataSource: DataSource): Promise<boolean> {
  const rows: { projection: string; version: number }[] = await dataSource.query(
    'SELECT projection, version FROM checkpoints WHERE cursor IS NOT NULL',
  );
  const versions = new Map(rows.map((row) => [row.projection, row.version]));
  const isOther = allProjections().some(({ name, version }) => versions.has(name) && versions.get(name) !== version);
  return isOther || hasFailuresOfOtherProgram(dataSource);
}
