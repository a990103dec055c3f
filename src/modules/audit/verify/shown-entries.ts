import type { Json, RecordedEvent } from '../../../kernel/events.js';
import { canonicalJson } from '../../../kernel/text.js';
import type { AuditEntryEntity } from '../trail/audit-entry.entity.js';
import {
  describeEvents,
  makeAuditRows,
  nothingBefore,
  type PriorEntries,
  type UnlabelledRow,
} from '../trail/audit-rows.js';
import type { AuditEntryView } from '../trail/audit-view.js';
import { Tampered } from './problem.js';

type LabelledRow = Pick<AuditEntryEntity, 'targetId' | 'targetLabel' | 'targetType' | 'kind'>;

/**
 * The names of packages. Some events do not contain the name of their package. Their entries show it as soon as any other
 * event of the package contains it, also a later one. So a name that was shown early has to match the name in that event.
 */
class PackageLabels {
  private readonly known = new Map<string, string>();
  /** Labels that were shown before an event contained them. */
  private readonly claimed = new Map<string, string | null>();

  fitsEntry({ targetId, targetLabel, targetType, kind }: LabelledRow, shown: string | null): boolean {
    if (targetLabel !== null)
      return shown === targetLabel && (targetType !== 'PACKAGE' || this.learnLabel(targetId, targetLabel, kind));
    if (targetType !== 'PACKAGE') return shown === null;
    const known = this.known.get(targetId);
    if (known !== undefined) return shown === known;
    const before = this.claimed.get(targetId);
    if (typeof before === 'string' && shown !== before) return false;
    this.claimed.set(targetId, shown);
    return true;
  }

  private learnLabel(id: string, label: string, kind: string): boolean {
    const claimed = this.claimed.get(id);
    this.claimed.delete(id);
    this.known.set(id, label);
    if (claimed === undefined || claimed === label) return true;
    return claimed === null && kind !== 'PackagePublished';
  }
}

/** An entry as it should be shown, without the label, which can become known later. */
function shownAs(row: UnlabelledRow): Omit<AuditEntryView, 'target'> & { target: { type: string; id: string } } {
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

/** Describes each event again and compares the description with what is shown. */
export class ShownEntries {
  private before: PriorEntries = nothingBefore();
  private readonly labels = new PackageLabels();

  /** Number of the last compared entry. */
  get seq(): number {
    return this.before.seq;
  }

  /** Continues after an entry without knowing the entries before it. Changes and origins can't be compared then. */
  skipTo(seq: number): void {
    this.before = { ...this.before, seq };
  }

  /** @param shown finds the entry that is shown with a number @throws Tampered */
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
      if (!entry) throw makeEntryError(row, 'removed', 'is not shown: it was removed from the shown entries');
      this.compareEntry(row, entry, fields);
    }
    const last = rows.at(-1);
    if (last) this.before = { ...this.before, seq: last.seq, latest: last.latest };
  }

  private compareEntry(
    row: UnlabelledRow,
    entry: AuditEntryView,
    fields: readonly (typeof COMPARED_FIELDS)[number][],
  ): void {
    const expected = shownAs(row);
    const { label, ...target } = entry.target;
    if (entry.id !== row.eventId) throw makeOtherEventError(row, entry);
    const field = fields.find(
      (name) => asCanonicalText(expected[name]) !== asCanonicalText(name === 'target' ? target : entry[name]),
    );
    if (field) throw makeEntryError(row, 'shown', `is shown with a different ${field} than in the log`);
    if (!this.labels.fitsEntry(row, label))
      throw makeEntryError(row, 'shown', 'is shown with a different target than in the log');
  }
}

function makeOtherEventError({ seq: number, eventId }: UnlabelledRow, { id, kind }: AuditEntryView): Tampered {
  const what = `Entry ${number} is shown as event ${id} (${kind}), but in the log it is event ${eventId}: the shown event was inserted, the event of the log was removed, or the order was changed.`;
  return new Tampered({ wrong: 'shown', number, eventId: id, what });
}

function makeEntryError(
  { seq: number, eventId, kind }: UnlabelledRow,
  how: 'removed' | 'shown',
  what: string,
): Tampered {
  return new Tampered({ wrong: how, number, eventId, what: `Entry ${number}, event ${eventId} (${kind}), ${what}.` });
}
