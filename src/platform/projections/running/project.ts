import type { DataSource } from 'typeorm';
import type { RecordedEvent } from '../../../kernel/event.js';
import { moveCheckpoint } from './checkpoint.js';
import type { Projection } from '../projection.js';
import type { ReadModelChanges } from '../read-model-changes.js';

export interface Page {
  readonly events: readonly RecordedEvent[];
  readonly from: string | null;
  readonly to: string;
}

/** Folds one page of events: rows, checkpoint and notification in one transaction. */
export async function project(
  dataSource: DataSource,
  projection: Projection,
  page: Page,
  changes: ReadModelChanges | null,
): Promise<void> {
  await dataSource.transaction(async (tx) => {
    await moveCheckpoint(tx, projection, page.from, page.to);
    const keys = page.events.length > 0 ? await projection.apply(page.events, tx) : [];
    await changes?.announce(tx, projection.name, page.to, keys);
  });
}
