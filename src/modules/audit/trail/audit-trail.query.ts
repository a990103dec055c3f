import { Query } from '@nestjs/cqrs';
import type { Page } from '../../../platform/graphql/paging.js';
import type { AuditEntryView } from './audit-view.js';

/** Selects entries. A part that is left out does not restrict the selection. */
export interface AuditFilter {
  readonly kinds?: readonly string[] | null;
  /** Id or name of the actor. */
  readonly actor?: string | null;
  /** Id of the target. */
  readonly target?: string | null;
  /** Recorded at this time or later, and before the other time. */
  readonly since?: Date | null;
  readonly until?: Date | null;
  /** Text in the summary, target, names or address, upper or lower case. */
  readonly text?: string | null;
}

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
