import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Recorded, RecordedEvent } from '../../../kernel/events.js';
import { AsProjection, type Projection } from '../../../platform/eventsourcing/projection.js';
import { upsertRows } from '../../../platform/eventsourcing/read-tables.js';
import { type PackageEvent, packageEvents } from '../../packages/contracts/package.events.js';
import { peerEvents } from '../../peers/contracts/peer.events.js';
import { serverEvents } from '../../server/contracts/server.events.js';
import { lineageTo, type ReplicaEvent, replicaEvents } from '../contracts/replica.events.js';
import { foldReplica, newReplica, toPublished, toWithdrawn, withLineage, withLineageTimes } from './replica-fold.js';
import { ReplicaEntity, ReplicaPackageEntity, ReplicaServerEntity } from './replica.entity.js';

const keyOf = (packageId: string, serverId: string): string => `${packageId}/${serverId}`;

/** The rows that a page of events is about. Only the rows that change are written back. */
class ReplicaPage {
  private readonly rows: Map<string, ReplicaEntity>;
  private readonly packages: Map<string, ReplicaPackageEntity>;
  private readonly changedRows = new Set<string>();
  private readonly changedPackages = new Set<string>();

  constructor(rows: readonly ReplicaEntity[], packages: readonly ReplicaPackageEntity[]) {
    this.rows = new Map(rows.map((row) => [keyOf(row.packageId, row.serverId), row]));
    this.packages = new Map(packages.map((row) => [row.packageId, row]));
  }

  applyEvent(record: RecordedEvent): void {
    const replica = replicaEvents.read(record);
    if (replica) return this.onReplica(replica);
    const known = packageEvents.read(record);
    if (known) this.onPackage(known);
  }

  changedReplicas(): { keys: string[]; rows: ReplicaEntity[] } {
    const keys = [...this.changedRows];
    return { keys, rows: keys.flatMap((key) => this.rows.get(key) ?? []) };
  }

  changedKnownPackages(): ReplicaPackageEntity[] {
    return [...this.changedPackages].flatMap((id) => this.packages.get(id) ?? []);
  }

  private onReplica(event: Recorded<ReplicaEvent>): void {
    if (event.type === 'PeerOutdated') return;
    const { packageId } = event.data;
    const remote = event.type === 'ReplicaReported' || event.type === 'ReplicaUnreported';
    const serverId = remote ? event.data.peerId : event.record.metadata.serverId;
    this.changeRow(packageId, serverId, !remote, (row) => foldReplica(row, event));
    const rowOf = (id: string) => this.rows.get(keyOf(packageId, id));
    if (event.type === 'ReplicaPublished') this.changeRow(packageId, serverId, true, (row) => withLineage(row, rowOf));
    const own = rowOf(event.record.metadata.serverId);
    const timed = event.type === 'ReplicaReported' && own ? withLineageTimes(own, lineageTo(event.data)) : own;
    if (timed && timed !== own) this.changeRow(packageId, timed.serverId, true, () => timed);
  }

  private onPackage(event: Recorded<PackageEvent>): void {
    const { serverId } = event.record.metadata;
    if (event.type === 'PackagePublished') {
      const { packageId, filename, size, sha256, chunkCount, publication, source } = event.data;
      const before = this.packages.get(packageId)?.publication ?? '';
      const latest = before > publication ? before : publication;
      this.packages.set(packageId, { packageId, filename, size, sha256, chunkCount, publication: latest });
      this.changedPackages.add(packageId);
      if (source.kind !== 'local') return;
      this.changeRow(packageId, serverId, true, (row) => ({
        ...toPublished(row, event.record.recordedAt),
        uploaded: true,
        sourceId: null,
        lineage: [],
        delivered: {},
      }));
    }
    if (
      event.type === 'PackageRemoved' &&
      event.data.stamp > (this.packages.get(event.data.packageId)?.publication ?? '')
    ) {
      const own = this.rows.get(keyOf(event.data.packageId, serverId));
      if (own)
        this.changeRow(event.data.packageId, serverId, true, (row) => ({ ...toWithdrawn(row), uploaded: false }));
    }
  }

  private changeRow(
    packageId: string,
    serverId: string,
    local: boolean,
    next: (row: ReplicaEntity) => ReplicaEntity,
  ): void {
    const key = keyOf(packageId, serverId);
    this.rows.set(key, next(this.rows.get(key) ?? newReplica(packageId, serverId, local)));
    this.changedRows.add(key);
  }
}

function nameIn(record: RecordedEvent): ReplicaServerEntity | null {
  const server = serverEvents.read(record);
  if (server && server.type !== 'ServerKeyRotated') return { id: record.metadata.serverId, name: server.data.name };
  const peer = peerEvents.read(record);
  if (peer?.type === 'PeerRegistered' || peer?.type === 'PeerSettingsChanged') {
    return { id: peer.data.peerId, name: peer.data.name };
  }
  const replica = replicaEvents.read(record);
  return replica?.type === 'ReplicaReported' ? { id: replica.data.peerId, name: replica.data.peerName } : null;
}

/** The latest names of servers in a page of events. */
function serverNames(records: readonly RecordedEvent[]): ReplicaServerEntity[] {
  const named = new Map<string, ReplicaServerEntity>();
  for (const record of records) {
    const row = nameIn(record);
    if (row) named.set(row.id, row);
  }
  return [...named.values()];
}

/** Keeps the copies of all packages on all servers, and the progress of our own copies. The keys are `<package id>/<server id>`. */
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
