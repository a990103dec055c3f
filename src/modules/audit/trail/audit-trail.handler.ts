import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { checkFirst, decodeCursor, encodeCursor, type Page, pageOf } from '../../../platform/graphql/paging.js';
import type { AuditEntryView } from './audit-view.js';
import { AuditEntriesSinceQuery, AuditTrailQuery } from './audit-trail.query.js';
import { findEntries } from './find-entries.js';

const Place = z.object({ order: z.literal('AUDIT'), seq: z.int().positive() });

@QueryHandler(AuditTrailQuery)
export class AuditTrailHandler implements IQueryHandler<AuditTrailQuery> {
  constructor(private readonly dataSource: DataSource) {}

  async execute({ filter, first, after }: AuditTrailQuery): Promise<Page<AuditEntryView>> {
    const count = checkFirst(first) + 1;
    const beyond = after === null ? null : decodeCursor(after, Place).seq;
    const entries = await findEntries(this.dataSource, filter, { order: 'newest', count, beyond });
    return pageOf(entries, { first, after }, (node) => ({
      cursor: encodeCursor({ order: 'AUDIT', seq: node.seq }),
      node,
    }));
  }
}

@QueryHandler(AuditEntriesSinceQuery)
export class AuditEntriesSinceHandler implements IQueryHandler<AuditEntriesSinceQuery> {
  constructor(private readonly dataSource: DataSource) {}

  execute({ filter, seq, first }: AuditEntriesSinceQuery): Promise<readonly AuditEntryView[]> {
    const order = seq === null ? 'newest' : 'oldest';
    return findEntries(this.dataSource, filter, { order, count: first, beyond: seq });
  }
}
