import { type INestApplication, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Projection } from '../../platform/eventsourcing/projection.js';
import { type FoldProgress, Rebuild } from '../../platform/eventsourcing/rebuild.js';
import { hasFailuresOfOtherProgram } from '../../platform/failures/unprocessable-events.js';
import { Database, type DatabaseSettings } from '../../ports/database.port.js';
import { EventStore } from '../../ports/event-store.port.js';
import { Locks } from '../../ports/locks.port.js';
import { MODULES } from '../app.module.js';
import { findProjections } from '../discovery.js';
import { connectReadSchema } from './data-source.js';
import type { Shutdown } from './shutdown.js';

/** New instances of all projections, for tools that build read models outside the running server. */
export const allProjections = (): readonly Projection[] => findProjections(MODULES);

export interface RebuildOptions {
  readonly progress?: FoldProgress;
  /** Does nothing when another process has rebuilt them in the meantime. */
  readonly onlyOutdated?: boolean;
  /** Ends the wait for another process that builds them. */
  readonly signal?: AbortSignal;
}

/**
 * Builds every read model again from the log and replaces the old one with it, see Rebuild. One process of a
 * server at a time.
 */
export async function rebuildReadModels(
  database: DatabaseSettings,
  store: EventStore,
  locks: Locks,
  { progress, onlyOutdated = false, signal }: RebuildOptions = {},
): Promise<void> {
  const [live, next] = [await connectReadSchema(database, 'read'), await connectReadSchema(database, 'read_next')];
  const rebuild = async (): Promise<void> => {
    if (onlyOutdated && !(await readModelsAreOutdated(live))) return;
    await new Rebuild(live, next, allProjections(), store, progress).run();
  };
  try {
    await locks.hold('rebuild', rebuild, signal && { signal });
  } finally {
    await Promise.all([live.destroy(), next.destroy()]);
  }
}

/**
 * True when there are rows that another version of a projection has written, or events that a projection of another
 * version of the program could not process.
 */
async function readModelsAreOutdated(dataSource: DataSource): Promise<boolean> {
  const rows: { projection: string; version: number }[] = await dataSource.query(
    'SELECT projection, version FROM checkpoints WHERE cursor IS NOT NULL',
  );
  const versions = new Map(rows.map((row) => [row.projection, row.version]));
  const isOther = allProjections().some(({ name, version }) => versions.has(name) && versions.get(name) !== version);
  return isOther || hasFailuresOfOtherProgram(dataSource);
}

/**
 * When the projections have another version, builds their rows beside the old ones, which are shown until this is done. A
 * shutdown waits until it has stopped, after at most one page of events; the next start begins anew.
 */
export function renewReadModels(app: INestApplication, shutdown: Shutdown): void {
  const logger = new Logger('Projections');
  const { signal } = shutdown;
  const renew = async () => {
    if (!(await readModelsAreOutdated(app.get(DataSource)))) return;
    logger.log('The read models are of another version. The server builds them again');
    const options = { onlyOutdated: true, progress: () => signal.throwIfAborted(), signal };
    await rebuildReadModels(app.get(Database).settings, app.get(EventStore), app.get(Locks), options);
    if (!signal.aborted) logger.log('The read models were built again');
  };
  const renewing = renew().catch((error: unknown) => {
    if (!signal.aborted)
      logger.error(`The read models could not be built again and stay as they are: ${String(error)}`);
  });
  shutdown.addStep('the read models that are built again', () => renewing);
}
