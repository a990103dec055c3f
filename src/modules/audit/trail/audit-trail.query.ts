import { Query } from '@nestjs/cqrs';
import type { Page } from '../../../platform/graphql/paging.js';
import type { AuditEntryView } from './audit-view.js';

/** Parts that are left out don't restrict. */
export interface AuditFilter {
  readonly kinds?: readonly string[] | null;
  /** Id or name of who did it. */
  readonly actor?: string | null;
  /** Id of what it is about. */
  readonly target?: string | null;
  /** From this time on, and before this one. */
  readonly since?: Date | null;
  readonly until?: Date | null;
  /** Text in the summary, target, names or address, in any case. */
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

/** Entries recorded after one with the number `seq`, oldest first; without a number just the newest entry. */
export class AuditEntriesSinceQuery extends Query<readonly AuditEntryView[]> {
  constructor(
    readonly filter: AuditFilter,
    readonly seq: number | null,
    readonly first: number,
  ) {
    super();
  }
}
