import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../../../platform/paging/cursor.js';
import { checkFirst, pageOf, type Page } from '../../../platform/paging/page.js';
import type { AuditEntryView } from '../contracts/audit-view.js';
import { AuditEntriesSinceQuery, AuditTrailQuery } from './audit-trail.query.js';
import { filterEntries, toAuditView } from './filter-entries.js';

const Place = z.object({ order: z.literal('AUDIT'), seq: z.int().positive() });

@QueryHandler(AuditTrailQuery)
export class AuditTrailHandler implements IQueryHandler<AuditTrailQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ filter, first, after }: AuditTrailQuery): Promise<Page<AuditEntryView>> {
    const query = filterEntries(this.dataSource, filter)
      .orderBy('entry.seq', 'DESC')
      .limit(checkFirst(first) + 1);
    if (after !== null) query.andWhere('entry.seq < :seq', { seq: decodeCursor(after, Place).seq });
    return pageOf(await query.getMany(), { first, after }, (row) => ({
      cursor: encodeCursor({ order: 'AUDIT', seq: row.seq }),
      node: toAuditView(row),
    }));
  }
}

@QueryHandler(AuditEntriesSinceQuery)
export class AuditEntriesSinceHandler implements IQueryHandler<AuditEntriesSinceQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ filter, seq, first }: AuditEntriesSinceQuery): Promise<readonly AuditEntryView[]> {
    const query = filterEntries(this.dataSource, filter).limit(first);
    if (seq === null) query.orderBy('entry.seq', 'DESC');
    else query.andWhere('entry.seq > :seq', { seq }).orderBy('entry.seq', 'ASC');
    return (await query.getMany()).map(toAuditView);
  }
}
