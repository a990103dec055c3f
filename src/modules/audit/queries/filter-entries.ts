import type { DataSource, SelectQueryBuilder } from 'typeorm';
import type { AuditEntryView } from '../contracts/audit-view.js';
import { AuditEntryEntity } from '../projections/entries/audit-entry.entity.js';
import type { AuditFilter } from './audit-trail.query.js';

/** The entries that a filter lets through. */
export function filterEntries(dataSource: DataSource, filter: AuditFilter): SelectQueryBuilder<AuditEntryEntity> {
  const { kinds, actor, target, since, until, text } = filter;
  const query = dataSource.createQueryBuilder(AuditEntryEntity, 'entry');
  if (kinds) query.andWhere('entry.kind = ANY(:kinds)', { kinds });
  if (actor) query.andWhere('(entry.actorId = :actor OR lower(entry.actorName) = lower(:actor))', { actor });
  if (target) query.andWhere('entry.targetId = :target', { target });
  if (since) query.andWhere('entry.recordedAt >= :since', { since });
  if (until) query.andWhere('entry.recordedAt < :until', { until });
  if (text) {
    const words = `lower(entry.summary || ' ' || coalesce(entry.targetLabel, '') || ' ' || entry.actorName)`;
    query.andWhere(`position(lower(:text) in ${words}) > 0`, { text });
  }
  return query;
}

export function toAuditView(row: AuditEntryEntity): AuditEntryView {
  const { seq, kind, recordedAt, address, serverId, correlationId, causationId, summary, details } = row;
  return {
    id: row.eventId,
    seq,
    kind,
    recordedAt,
    address,
    serverId,
    correlationId,
    causationId,
    summary,
    details,
    actor: { kind: row.actorKind, id: row.actorId, name: row.actorName },
    target: { type: row.targetType, id: row.targetId, label: row.targetLabel },
  };
}
