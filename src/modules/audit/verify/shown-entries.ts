import { canonicalJson } from '../../../kernel/text/canonical-json.js';
import type { Json } from '../../../kernel/json.js';
import type { RecordedEvent } from '../../../kernel/event.js';
import type { AuditEntryView } from '../contracts/audit-view.js';
import { makeAuditRows, nothingBefore, describeEvents, type PriorEntries } from '../projections/entries/audit-rows.js';
import type { AuditEntryEntity } from '../projections/entries/audit-entry.entity.js';
import { PackageLabels } from './labels.js';
import { Tampered } from './problem.js';

/** An entry as it should be shown, without the label, which may have been learnt later. */
function shownAs(row: AuditEntryEntity): Omit<AuditEntryView, 'target'> & { target: { type: string; id: string } } {
  const {
    eventId: id,
    seq,
    kind,
    recordedAt,
    address,
    serverId,
    correlationId,
    causationId,
    summary,
    details,
    changes,
  } = row;
  const origin =
    row.originServerId === null
      ? null
      : { serverId: row.originServerId, serverName: row.originServerName, actor: row.originActor };
  const actor = { kind: row.actorKind, id: row.actorId, name: row.actorName };
  const target = { type: row.targetType, id: row.targetId };
  return {
    id,
    seq,
    kind,
    recordedAt,
    actor,
    address,
    serverId,
    correlationId,
    causationId,
    target,
    summary,
    details,
    changes,
    origin,
  };
}

const COMPARED_FIELDS = [
  'id',
  'kind',
  'recordedAt',
  'actor',
  'address',
  'serverId',
  'correlationId',
  'causationId',
  'target',
  'summary',
  'details',
  'changes',
  'origin',
] as const;

const asCanonicalText = (value: unknown): string => canonicalJson(JSON.parse(JSON.stringify(value ?? null)) as Json);

/** Tells each event once more, and compares with what is shown of it. */
export class ShownEntries {
  private before: PriorEntries = nothingBefore();
  private readonly labels = new PackageLabels();

  /** Number of the last entry that was compared. */
  get seq(): number {
    return this.before.seq;
  }

  /** Goes on behind an entry without knowing what was before it: changes and origins can't be told then. */
  skipTo(seq: number): void {
    this.before = { ...this.before, seq };
  }

  /** @param shown finds the entry that is shown under a number @throws Tampered */
  compareEntries(
    events: readonly RecordedEvent[],
    shown: (seq: number, eventId: string) => AuditEntryView | undefined,
    partly = false,
  ): void {
    const rows = makeAuditRows(describeEvents(events), this.before);
    const fields = partly
      ? COMPARED_FIELDS.filter((field) => field !== 'changes' && field !== 'origin')
      : COMPARED_FIELDS;
    for (const row of rows) {
      const entry = shown(row.seq, row.eventId);
      if (!entry) throw makeEntryError(row, 'removed', 'is no longer shown: it was removed from the entries');
      this.compareEntry(row, entry, fields);
    }
    const last = rows.at(-1);
    if (last) this.before = { ...this.before, seq: last.seq, latest: last.latest };
  }

  private compareEntry(
    row: AuditEntryEntity,
    entry: AuditEntryView,
    fields: readonly (typeof COMPARED_FIELDS)[number][],
  ): void {
    const expected = shownAs(row);
    const { label, ...target } = entry.target;
    if (entry.id !== row.eventId) throw makeOtherEventError(row, entry);
    const field = fields.find(
      (name) => asCanonicalText(expected[name]) !== asCanonicalText(name === 'target' ? target : entry[name]),
    );
    if (field) throw makeEntryError(row, 'shown', `is shown with another ${field} than the log has`);
    if (!this.labels.fitsEntry(row, label))
      throw makeEntryError(row, 'shown', 'is shown with another target than the log has');
  }
}

function makeOtherEventError({ seq: number, eventId }: AuditEntryEntity, { id, kind }: AuditEntryView): Tampered {
  const what = `Entry ${number} is shown as event ${id} (${kind}), and the log has event ${eventId} there: that was inserted, the other removed, or the order changed.`;
  return new Tampered({ wrong: 'shown', number, eventId: id, what });
}

function makeEntryError(
  { seq: number, eventId, kind }: AuditEntryEntity,
  how: 'removed' | 'shown',
  what: string,
): Tampered {
  return new Tampered({ wrong: how, number, eventId, what: `Entry ${number}, event ${eventId} (${kind}), ${what}.` });
}
