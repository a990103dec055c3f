import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { RecordedEvent } from '../../../../kernel/event.js';
import { AsProjection, type Projection } from '../../../../platform/projections/projection.js';
import { upsertRows } from '../../../../platform/projections/upsert-rows.js';
import { AuditEntryEntity } from './audit-entry.entity.js';
import { AUDITED_TYPES, auditRows } from './audit-rows.js';
import { labelPackages } from './target-labels.js';

/** Who did what, when and from where. Its keys are the numbers of the new entries. */
@AsProjection()
@Injectable()
export class AuditProjection implements Projection {
  readonly name = 'audit';
  readonly version = 2;
  readonly tables = ['audit_entries'];
  readonly eventTypes = AUDITED_TYPES;

  async apply(events: readonly RecordedEvent[], tx: EntityManager): Promise<readonly string[]> {
    const last: { seq: string | null }[] = await tx.query('SELECT max(seq) AS seq FROM audit_entries');
    const rows = auditRows(events, Number(last[0]?.seq ?? 0));
    await upsertRows(tx, AuditEntryEntity, await labelPackages(tx, rows));
    return rows.map((row) => String(row.seq));
  }
}
