import type { DataSource, EntityManager } from 'typeorm';
import type { RecordedEvent } from '../../../kernel/event.js';
import { moveCheckpoints, type Move } from './checkpoint.js';
import type { Change, ReadModelChanges } from '../read-model-changes.js';

/** The next events of one projection. */
export interface Page extends Move {
  readonly events: readonly RecordedEvent[];
}

/** Folds a page of each of some projections: rows, checkpoints and notifications in one transaction. */
export async function project(
  dataSource: DataSource,
  pages: readonly Page[],
  announcer: ReadModelChanges | null,
): Promise<void> {
  await dataSource.transaction(async (tx) => {
    await moveCheckpoints(tx, pages);
    const changes: Change[] = [];
    for (const page of pages) changes.push(await apply(tx, page));
    await announcer?.announce(tx, changes);
  });
}

async function apply(tx: EntityManager, { projection, events, to }: Page): Promise<Change> {
  const keys = events.length > 0 ? await projection.apply(events, tx) : [];
  return { projection: projection.name, cursor: to, keys };
}
