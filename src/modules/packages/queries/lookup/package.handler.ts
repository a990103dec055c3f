import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import type { PackageView } from '../../contracts/package-view.js';
import { PackageEntity } from '../../projections/packages/package.entity.js';
import { PackageByFilenameQuery, PackagesByIdQuery, ServedPackagesQuery } from './package.query.js';

@QueryHandler(PackageByFilenameQuery)
export class PackageByFilenameHandler implements IQueryHandler<PackageByFilenameQuery> {
  constructor(private readonly dataSource: DataSource) {}

  execute({ filename }: PackageByFilenameQuery): Promise<PackageView | null> {
    return this.dataSource
      .createQueryBuilder(PackageEntity, 'package')
      .addSelect(`CASE state WHEN 'AVAILABLE' THEN 0 WHEN 'REMOVED' THEN 2 ELSE 1 END`, 'standing')
      .where('package.filename = :filename', { filename: filename.normalize('NFC') })
      .orderBy('standing')
      .addOrderBy('package.publication', 'DESC')
      .limit(1)
      .getOne();
  }
}

@QueryHandler(PackagesByIdQuery)
export class PackagesByIdHandler implements IQueryHandler<PackagesByIdQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ ids }: PackagesByIdQuery): Promise<readonly (PackageView | null)[]> {
    const query = this.dataSource.createQueryBuilder(PackageEntity, 'package').where('package.id = ANY(:ids)', { ids });
    const rows = new Map((await query.getMany()).map((row) => [row.id, row]));
    return ids.map((id) => rows.get(id) ?? null);
  }
}

@QueryHandler(ServedPackagesQuery)
export class ServedPackagesHandler implements IQueryHandler<ServedPackagesQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ filenames }: ServedPackagesQuery): Promise<readonly (PackageView | null)[]> {
    const query = this.dataSource
      .createQueryBuilder(PackageEntity, 'package')
      .where(`package.filename = ANY(:filenames) AND package.state = 'AVAILABLE'`, { filenames });
    const rows = new Map((await query.getMany()).map((row) => [row.filename, row]));
    return filenames.map((filename) => rows.get(filename) ?? null);
  }
}
