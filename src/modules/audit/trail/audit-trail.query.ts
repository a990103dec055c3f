import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { checkFirst, decodeCursor, encodeCursor, type Page, pageOf } from '../../../platform/graphql/paging.js';
import type { AuditEntryView, AuditFilter } from './audit-view.js';
import { findEntries } from './find-entries.js';

/** A page of the audit trail, newest first. @throws Refusal INVALID_CURSOR, INVALID_REQUEST */
export class AuditTrailQuery extends Query<Page<AuditEntryView>> {
  constructor(
    readonly filter: AuditFilter,
    readonly first: number,
    readonly after: string | null,
  ) {
    super();
  }
}

/** Entries after the entry with the number `seq`, oldest first. Without a number, the newest entry alone. */
export class AuditEntriesSinceQuery extends Query<readonly AuditEntryView[]> {
  constructor(
    readonly filter: AuditFilter,
    readonly seq: number | null,
    readonly first: number,
  ) {
    super();
  }
}

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
