import type { DataSource } from 'typeorm';
import { ReplicaPackageEntity } from '../projections/replicas/replica.entity.js';

/** What replicas need to know of their packages, by package id. */
export async function findReplicaPackages(
  dataSource: DataSource,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ReplicaPackageEntity>> {
  const query = dataSource.createQueryBuilder(ReplicaPackageEntity, 'known');
  const rows = await query.where('known.packageId = ANY(:ids)', { ids }).getMany();
  return new Map(rows.map((row) => [row.packageId, row]));
}
