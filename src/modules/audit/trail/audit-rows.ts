import type { Json, RecordedEvent } from '../../../kernel/events.js';
import { canonicalJson } from '../../../kernel/text.js';
import {
  describeEvent,
  type EventDescription,
  type Fields,
  type Origin,
} from '../../../platform/eventsourcing/event-descriptions.js';
import type { AuditEntryEntity } from './audit-entry.entity.js';
import type { Change } from './audit-view.js';

/** The known facts about the target of entries. */
export interface SubjectState {
  readonly fields: Fields;
  /** The origin of the package. Null when it was published here. */
  readonly origin: Origin | null;
}

const UNKNOWN_SUBJECT: SubjectState = { fields: {}, origin: null };

export const subjectOf = ({ targetType, targetId }: Pick<EventDescription, 'targetType' | 'targetId'>): string =>
  `${targetType} ${targetId}`;

/** Keeps the current values of each target, so that an entry can say what it changed. */
export class Subjects {
  /** Subjects that have changed since they were loaded. */
  readonly changed = new Map<string, SubjectState>();

  constructor(private readonly known = new Map<string, SubjectState>()) {}

  /** Applies a described event. Returns what it changes and where it began. */
  recordChange(description: EventDescription): { changes: readonly Change[]; origin: Origin | null } {
    const subject = subjectOf(description);
    const state = this.changed.get(subject) ?? this.known.get(subject) ?? UNKNOWN_SUBJECT;
    const origin = description.origin === undefined ? state.origin : description.origin;
    if (!description.now) return { changes: [], origin };
    const before = { ...description.before, ...state.fields };
    this.changed.set(subject, {
      fields: { ...before, ...description.now },
      origin: description.source === undefined ? state.origin : description.source,
    });
    return { changes: findDifferences(before, description.now), origin };
  }
}

function findDifferences(before: Fields, now: Fields): Change[] {
  const values = (field: string, fields: Fields): Json => fields[field] ?? null;
  return Object.keys(now).flatMap((field) => {
    const change = { field, before: values(field, before), after: values(field, now) };
    return canonicalJson(change.before) === canonicalJson(change.after) ? [] : [change];
  });
}

/** A recorded event and its description. */
interface DescribedEvent {
  readonly record: RecordedEvent;
  readonly description: EventDescription;
}

/** The state after the entries so far. */
export interface PriorEntries {
  /** Number of the last entry. */
  readonly seq: number;
  /** The latest time that was recorded so far. */
  readonly latest: Date;
  readonly subjects: Subjects;
}

export const nothingBefore = (): PriorEntries => ({ seq: 0, latest: new Date(0), subjects: new Subjects() });

export const describeEvents = (records: readonly RecordedEvent[]): DescribedEvent[] =>
  records.flatMap((record) => {
    const description = describeEvent(record);
    return description ? { record, description } : [];
  });

/** The audit entries of a page of events, numbered on from the last entry. Records in `subjects` what has changed. */
/** An entry whose label may come from an earlier entry. Its words are known afterwards. */
export type UnlabelledRow = Omit<AuditEntryEntity, 'words'>;

export function makeAuditRows(
  told: readonly DescribedEvent[],
  { seq, latest, subjects }: PriorEntries,
): UnlabelledRow[] {
  let last = latest;
  return told.map(({ record, description }, index) => {
    if (record.recordedAt > last) last = record.recordedAt;
    return { seq: seq + index + 1, latest: last, ...makeRow(record, description, subjects) };
  });
}

function makeRow(
  record: RecordedEvent,
  description: EventDescription,
  subjects: Subjects,
): Omit<AuditEntryEntity, 'seq' | 'latest' | 'words'> {
  const { actor, address, serverId, correlationId, causationId } = record.metadata;
  const { targetType, targetId, targetLabel, summary, details } = description;
  const { changes, origin } = subjects.recordChange(description);
  const told = {
    address,
    serverId,
    correlationId,
    causationId,
    targetType,
    targetId,
    targetLabel,
    summary,
    details,
    changes,
  };
  return {
    ...told,
    eventId: record.id,
    kind: record.type,
    recordedAt: record.recordedAt,
    actorKind: actor.kind,
    actorId: actor.id,
    actorName: actor.name,
    originServerId: origin?.serverId ?? null,
    originServerName: origin?.serverName ?? null,
    originActor: origin?.actor ?? null,
  };
}
