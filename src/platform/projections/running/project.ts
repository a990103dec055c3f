import type { DataSource, EntityManager } from 'typeorm';
import type { RecordedEvent } from '../../../kernel/event.js';
import { moveCheckpoints, type CheckpointMove } from './checkpoint.js';
import type { Change, ReadModelChanges } from '../read-model-changes.js';

/** The next events of one projection. */
export interface EventPage extends CheckpointMove {
  readonly events: readonly RecordedEvent[];
}

/** Folds a page of each of some projections: rows, checkpoints and notifications in one transaction. */
export async function projectPages(
  dataSource: DataSource,
  pages: readonly EventPage[],
  announcer: ReadModelChanges | null,
): Promise<void> {
  await dataSource.transaction(async (tx) => {
    await moveCheckpoints(tx, pages);
    const changes: Change[] = [];
    for (const page of pages) changes.push(await applyPage(tx, page));
    await announcer?.announce(tx, changes);
  });
}

async function applyPage(tx: EntityManager, { projection, events, to }: EventPage): Promise<Change> {
  const keys = events.length > 0 ? await projection.apply(events, tx) : [];
  return { projection: projection.name, cursor: to, keys };
}
