import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { RecordedEvent } from '../../../kernel/events.js';
import { STAGES } from '../../../kernel/stage.js';
import { AsProjection, type Projection } from '../../../platform/eventsourcing/projection.js';
import { upsertRows } from '../../../platform/eventsourcing/read-tables.js';
import { serverEvents } from '../../server/contracts/server.events.js';
import { foldPackages, packageIdsOf } from './package-fold.js';
import { LOCAL_REPLICA_TYPES } from '../contracts/local-replica.events.js';
import { PackageEntity, ServingStageEntity } from './package.entity.js';

/**
 * Sets the state of packages. Of all packages with one filename that could be served, the last published one is served.
 * Looks at the packages with the given filenames, or at all packages (null) when the stage of this server has changed.
 * Returns the ids of the packages whose state changed.
 */
async function rankPackages(tx: EntityManager, filenames: readonly string[] | null): Promise<readonly string[]> {
  const rows: { id: string }[] = await tx.query(
    `WITH serving AS (
       SELECT coalesce(max(array_position($2::text[], stage)), 1) AS lowest FROM serving_stage
     ), judged AS (
       SELECT id, filename, publication, held, fetching,
              coalesce(removal > publication, false) AS removed,
              array_position($2::text[], stage) >= lowest AS reaches
       FROM packages, serving WHERE $1::text[] IS NULL OR filename = ANY ($1::text[])
     ), ranked AS (
       SELECT *, row_number() OVER (
         PARTITION BY filename, held AND reaches AND NOT removed ORDER BY publication DESC, id DESC) AS rank
       FROM judged
     ), stated AS (
       SELECT id, CASE
         WHEN removed THEN 'REMOVED'
         WHEN held AND NOT reaches THEN 'WITHHELD'
         WHEN held AND rank = 1 THEN 'AVAILABLE'
         WHEN held THEN 'SUPERSEDED'
         WHEN fetching = 'REQUESTED' THEN 'REPLICATING'
         WHEN fetching IN ('DAMAGED', 'FAILED') THEN fetching
         ELSE 'ANNOUNCED' END AS state
       FROM ranked
     ), changed AS (
       UPDATE packages SET state = stated.state FROM stated
       WHERE packages.id = stated.id AND packages.state <> stated.state RETURNING packages.id
     ) SELECT id FROM changed`,
    [filenames, STAGES],
  );
  return rows.map((row) => row.id);
}

/** Keeps every package that this server knows, and which of them it serves under their filenames. */
@AsProjection()
@Injectable()
export class PackagesProjection implements Projection {
  readonly name = 'packages';
  readonly version = 5;
  readonly tables = ['packages', 'serving_stage'];
  readonly eventTypes = [
    'PackagePublished',
    'PackageStageChanged',
    'PackageRemoved',
    'PackageFactsSigned',
    ...LOCAL_REPLICA_TYPES,
    ...serverEvents.types,
  ];

  async apply(events: readonly RecordedEvent[], tx: EntityManager): Promise<readonly string[]> {
    const stageChanged = await this.saveStage(events, tx);
    const rows = await this.foldRows(events, tx);
    await upsertRows(tx, PackageEntity, rows);
    const filenames = [...new Set(rows.map((row) => row.filename))];
    const restated =
      stageChanged || filenames.length > 0 ? await rankPackages(tx, stageChanged ? null : filenames) : [];
    return [...new Set([...rows.map((row) => row.id), ...restated])];
  }

  private async foldRows(events: readonly RecordedEvent[], tx: EntityManager): Promise<PackageEntity[]> {
    const ids = packageIdsOf(events);
    if (ids.length === 0) return [];
    const query = tx.createQueryBuilder(PackageEntity, 'package').where('package.id = ANY(:ids)', { ids });
    return foldPackages(await query.getMany(), events);
  }

  private async saveStage(events: readonly RecordedEvent[], tx: EntityManager): Promise<boolean> {
    const last = events
      .flatMap((event) => serverEvents.read(event) ?? [])
      .findLast(({ type }) => type !== 'ServerKeyRotated');
    if (!last || last.type === 'ServerKeyRotated') return false;
    const row: ServingStageEntity = { serverId: last.record.metadata.serverId, stage: last.data.stage };
    await upsertRows(tx, ServingStageEntity, [row]);
    return true;
  }
}
