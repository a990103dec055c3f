import type { DataSource, SelectQueryBuilder } from 'typeorm';
import { PackageEntity } from '../../projections/packages/package.entity.js';
import type { PackageFilter } from './packages.query.js';

/** The packages that a filter lets through. */
export function filterPackages(dataSource: DataSource, filter: PackageFilter): SelectQueryBuilder<PackageEntity> {
  const { filename, stages, states } = filter;
  const query = dataSource.createQueryBuilder(PackageEntity, 'package');
  if (states) query.andWhere('package.state = ANY(:states)', { states });
  else query.andWhere(`package.state <> 'REMOVED'`);
  if (stages) query.andWhere('package.stage = ANY(:stages)', { stages });
  if (filename) {
    const text = filename.normalize('NFC');
    query.andWhere('position(lower(:text) in lower(package.filename COLLATE "default")) > 0', { text });
  }
  return query;
}
