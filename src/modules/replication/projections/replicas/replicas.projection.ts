import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { RecordedEvent } from '../../../../kernel/event.js';
import { AsProjection, type Projection } from '../../../../platform/projections/projection.js';
import { upsertRows } from '../../../../platform/projections/upsert-rows.js';
import { packageEvents } from '../../../packages/contracts/package.events.js';
import { replicaEvents } from '../../contracts/replica.events.js';
import { ReplicaEntity, ReplicaPackageEntity, ReplicaServerEntity } from './replica.entity.js';
import { ReplicaPage } from './replica-page.js';
import { serverNames } from './server-names.js';

/** Which servers hold which packages, and how far our own copies are. Its keys are `<package id>/<server id>`. */
@AsProjection()
@Injectable()
export class ReplicasProjection implements Projection {
  readonly name = 'replicas';
  readonly version = 2;
  readonly tables = ['replicas', 'replica_packages', 'replica_servers'];
  readonly eventTypes = [
    ...replicaEvents.types,
    'PackagePublished',
    'PackageRemoved',
    'ServerInitialised',
    'ServerSettingsChanged',
    'PeerRegistered',
    'PeerSettingsChanged',
  ];

  async apply(events: readonly RecordedEvent[], tx: EntityManager): Promise<readonly string[]> {
    await upsertRows(tx, ReplicaServerEntity, serverNames(events));
    const page = await this.loadPage(events, tx);
    for (const event of events) page.applyEvent(event);
    const { keys, rows } = page.changedReplicas();
    await upsertRows(tx, ReplicaPackageEntity, page.changedKnownPackages());
    await upsertRows(tx, ReplicaEntity, rows);
    return keys;
  }

  private async loadPage(events: readonly RecordedEvent[], tx: EntityManager): Promise<ReplicaPage> {
    const about = events.flatMap((event) => replicaEvents.read(event) ?? packageEvents.read(event) ?? []);
    const ids = [...new Set(about.map((event) => event.data.packageId))];
    if (ids.length === 0) return new ReplicaPage([], []);
    const rows = tx.createQueryBuilder(ReplicaEntity, 'replica').where('replica.packageId = ANY(:ids)', { ids });
    const packages = tx.createQueryBuilder(ReplicaPackageEntity, 'known').where('known.packageId = ANY(:ids)', { ids });
    return new ReplicaPage(await rows.getMany(), await packages.getMany());
  }
}
