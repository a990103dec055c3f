import type { Json } from '../../../../kernel/json.js';
import { canonicalJson } from '../../../../kernel/text/canonical-json.js';
import type { Change, Origin } from '../../contracts/audit-view.js';
import type { Fields, EventDescription } from '../stories/story.js';

/** What is known of what entries are about. */
export interface SubjectState {
  readonly fields: Fields;
  /** Where the package came from; null when it was published here. */
  readonly origin: Origin | null;
}

const UNKNOWN_SUBJECT: SubjectState = { fields: {}, origin: null };

export const subjectOf = ({ targetType, targetId }: Pick<EventDescription, 'targetType' | 'targetId'>): string =>
  `${targetType} ${targetId}`;

/** Remembers what holds of each subject, so that an entry can tell what it changed. */
export class Subjects {
  /** Those that are other than when they were loaded. */
  readonly changed = new Map<string, SubjectState>();

  constructor(private readonly known = new Map<string, SubjectState>()) {}

  /** What the story changes, and where it began. */
  recordChange(story: EventDescription): { changes: readonly Change[]; origin: Origin | null } {
    const subject = subjectOf(story);
    const state = this.changed.get(subject) ?? this.known.get(subject) ?? UNKNOWN_SUBJECT;
    const origin = story.origin === undefined ? state.origin : story.origin;
    if (!story.now) return { changes: [], origin };
    const before = { ...story.before, ...state.fields };
    this.changed.set(subject, {
      fields: { ...before, ...story.now },
      origin: story.source === undefined ? state.origin : story.source,
    });
    return { changes: findDifferences(before, story.now), origin };
  }
}

function findDifferences(before: Fields, now: Fields): Change[] {
  const values = (field: string, fields: Fields): Json => fields[field] ?? null;
  return Object.keys(now).flatMap((field) => {
    const change = { field, before: values(field, before), after: values(field, now) };
    return canonicalJson(change.before) === canonicalJson(change.after) ? [] : [change];
  });
}
