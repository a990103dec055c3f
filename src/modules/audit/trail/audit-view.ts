import type { Actor, Json } from '../../../kernel/events.js';
import type { Origin, TargetType } from '../../../platform/eventsourcing/event-descriptions.js';

/** A change of one field of the target; null for a value that does not exist. */
export interface Change {
  readonly field: string;
  readonly before: Json;
  readonly after: Json;
}

/** One recorded event, as the audit trail shows it. */
export interface AuditEntryView {
  readonly id: string;
  /** Number of the entry in the order of the log. */
  readonly seq: number;
  /** Event type. */
  readonly kind: string;
  readonly recordedAt: Date;
  readonly actor: Actor;
  readonly address: string | null;
  readonly serverId: string;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly target: { readonly type: TargetType; readonly id: string; readonly label: string | null };
  readonly summary: string;
  readonly details: { readonly [key: string]: Json | undefined };
  readonly changes: readonly Change[];
  /** Null when it began on this server. */
  readonly origin: Origin | null;
}

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

/** A row of the table `audit_entries`, as node-postgres returns it. */
export interface EntryRow {
  readonly seq: string;
  readonly event_id: string;
  readonly kind: string;
  readonly recorded_at: Date;
  readonly actor_kind: Actor['kind'];
  readonly actor_id: string;
  readonly actor_name: string;
  readonly address: string | null;
  readonly server_id: string;
  readonly correlation_id: string;
  readonly causation_id: string | null;
  readonly target_type: TargetType;
  readonly target_id: string;
  readonly target_label: string | null;
  readonly summary: string;
  readonly details: { readonly [key: string]: Json | undefined };
  readonly changes: readonly Change[];
  readonly origin_server_id: string | null;
  readonly origin_server_name: string | null;
  readonly origin_actor: string | null;
}

export const ENTRY_COLUMNS = `e.seq, e.event_id, e.kind, e.recorded_at, e.actor_kind, e.actor_id, e.actor_name, e.address, e.server_id,
  e.correlation_id, e.causation_id, e.target_type, e.target_id, e.target_label, e.summary, e.details, e.changes,
  e.origin_server_id, e.origin_server_name, e.origin_actor`;

export function toAuditView(row: EntryRow): AuditEntryView {
  const { address, summary, details, changes, kind } = row;
  const origin = { serverName: row.origin_server_name, actor: row.origin_actor };
  return {
    id: row.event_id,
    seq: Number(row.seq),
    kind,
    recordedAt: row.recorded_at,
    actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name },
    address,
    serverId: row.server_id,
    correlationId: row.correlation_id,
    causationId: row.causation_id,
    target: { type: row.target_type, id: row.target_id, label: row.target_label },
    summary,
    details,
    changes,
    origin: row.origin_server_id === null ? null : { serverId: row.origin_server_id, ...origin },
  };
}
