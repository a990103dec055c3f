import type { RecordedEvent } from '../../../../kernel/event.js';
import type { AuditEntryEntity } from './audit-entry.entity.js';
import type { EventDescription } from '../stories/story.js';
import { describeEvent } from './story-of.js';
import { Subjects } from './subjects.js';

/** An event, and what it tells. */
export interface DescribedEvent {
  readonly record: RecordedEvent;
  readonly story: EventDescription;
}

/** What the entries before have left behind. */
export interface PriorEntries {
  /** Number of the last one. */
  readonly seq: number;
  /** The latest time recorded so far. */
  readonly latest: Date;
  readonly subjects: Subjects;
}

export const nothingBefore = (): PriorEntries => ({ seq: 0, latest: new Date(0), subjects: new Subjects() });

export const describeEvents = (records: readonly RecordedEvent[]): DescribedEvent[] =>
  records.flatMap((record) => {
    const story = describeEvent(record);
    return story ? { record, story } : [];
  });

/** The audit entries of a page of events, numbered on from the last one so far. Notes in `subjects` what has changed. */
export function makeAuditRows(
  told: readonly DescribedEvent[],
  { seq, latest, subjects }: PriorEntries,
): AuditEntryEntity[] {
  let last = latest;
  return told.map(({ record, story }, index) => {
    if (record.recordedAt > last) last = record.recordedAt;
    return { seq: seq + index + 1, latest: last, ...makeRow(record, story, subjects) };
  });
}

function makeRow(
  record: RecordedEvent,
  story: EventDescription,
  subjects: Subjects,
): Omit<AuditEntryEntity, 'seq' | 'latest'> {
  const { actor, address, serverId, correlationId, causationId } = record.metadata;
  const { targetType, targetId, targetLabel, summary, details } = story;
  const { changes, origin } = subjects.recordChange(story);
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
