import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { RecordedEvent } from '../../../../kernel/event.js';
import { AsProjection, type Projection } from '../../../../platform/projections/projection.js';
import { upsertRows } from '../../../../platform/projections/upsert-rows.js';
import { AuditEntryEntity } from './audit-entry.entity.js';
import { makeAuditRows, describeEvents } from './audit-rows.js';
import { noteActors } from './note-actors.js';
import { AUDITED_TYPES } from './story-of.js';
import { loadSubjects, saveSubjects } from './subject-table.js';
import { subjectOf } from './subjects.js';
import { labelPackages } from './target-labels.js';

/** Who did what, when and from where. Its keys are the numbers of the new entries. */
@AsProjection()
@Injectable()
export class AuditProjection implements Projection {
  readonly name = 'audit';
  readonly version = 3;
  readonly tables = ['audit_entries', 'audit_actors', 'audit_subjects'];
  readonly eventTypes = AUDITED_TYPES;

  async apply(events: readonly RecordedEvent[], tx: EntityManager): Promise<readonly string[]> {
    const told = describeEvents(events);
    const [last]: { seq: string; latest: Date }[] = await tx.query(
      'SELECT seq, latest FROM audit_entries ORDER BY seq DESC LIMIT 1',
    );
    const subjects = await loadSubjects(
      tx,
      told.map(({ story }) => subjectOf(story)),
    );
    const rows = makeAuditRows(told, { seq: Number(last?.seq ?? 0), latest: last?.latest ?? new Date(0), subjects });
    await saveSubjects(tx, subjects);
    await noteActors(tx, rows);
    await upsertRows(tx, AuditEntryEntity, await labelPackages(tx, rows));
    return rows.map((row) => String(row.seq));
  }
}
