import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { RecordedEvent } from '../../../../kernel/event.js';
import { AsProjection, type Projection } from '../../../../platform/projections/projection.js';
import { upsertRows } from '../../../../platform/projections/upsert-rows.js';
import { serverEvents } from '../../../server/contracts/server.events.js';
import { PackageEntity, ServingStageEntity } from './package.entity.js';
import { foldPackages, packageIdsOf } from './package-fold.js';
import { rankPackages } from './rank-packages.js';

/** Every package that this server knows, and which of them it serves under their filenames. */
@AsProjection()
@Injectable()
export class PackagesProjection implements Projection {
  readonly name = 'packages';
  readonly version = 2;
  readonly tables = ['packages', 'serving_stage'];
  readonly eventTypes = [
    'PackagePublished',
    'PackageStageChanged',
    'PackageRemoved',
    'ReplicaRequested',
    'ReplicaDamaged',
    'ReplicaFailed',
    'ReplicaPublished',
    'ReplicaWithdrawn',
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
