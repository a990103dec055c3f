import type { Recorded } from '../../../../kernel/event-family.js';
import type { RecordedEvent } from '../../../../kernel/event.js';
import { packageEvents, type PackageEvent } from '../../../packages/contracts/package.events.js';
import { replicaEvents, type ReplicaEvent } from '../../contracts/replica.events.js';
import type { ReplicaEntity, ReplicaPackageEntity } from './replica.entity.js';
import { foldReplica, newReplica, toPublished, toWithdrawn } from './replica-fold.js';
import { lineageTo, withLineageTimes, withLineage } from './replica-way.js';

const keyOf = (packageId: string, serverId: string): string => `${packageId}/${serverId}`;

/** Rows on their way through a page of events; only what changed is written back. */
export class ReplicaPage {
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
