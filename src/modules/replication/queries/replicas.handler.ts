import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import type { ReplicaView } from '../contracts/replica-view.js';
import { ReplicaEntity, ReplicaServerEntity } from '../projections/replicas/replica.entity.js';
import { findReplicaPackages } from './replica-packages.js';
import { toReplicaView } from './replica-rows.js';
import { ReplicasQuery } from './replicas.query.js';

/** Three look-ups, however many packages are asked for. */
@QueryHandler(ReplicasQuery)
export class ReplicasHandler implements IQueryHandler<ReplicasQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ packageIds }: ReplicasQuery): Promise<readonly (readonly ReplicaView[])[]> {
    const rows = await this.findRows(packageIds);
    const [packages, names] = await Promise.all([
      findReplicaPackages(this.dataSource, packageIds),
      this.findNames(rows),
    ]);
    return packageIds.map((id) =>
      rows
        .filter((row) => row.packageId === id)
        .map((row) => toReplicaView(row, packages.get(id), (serverId) => names.get(serverId) ?? serverId)),
    );
  }

  private findRows(ids: readonly string[]): Promise<ReplicaEntity[]> {
    return this.dataSource
      .createQueryBuilder(ReplicaEntity, 'replica')
      .where('replica.packageId = ANY(:ids)', { ids })
      .orderBy('replica.local', 'DESC')
      .addOrderBy('replica.serverId')
      .getMany();
  }

  private async findNames(rows: readonly ReplicaEntity[]): Promise<Map<string, string>> {
    const ids = [...new Set(rows.flatMap((row) => [row.serverId, row.sourceId ?? []]).flat())];
    const query = this.dataSource.createQueryBuilder(ReplicaServerEntity, 'server');
    const servers = await query.where('server.id = ANY(:ids)', { ids }).getMany();
    return new Map(servers.map((server) => [server.id, server.name]));
  }
}
