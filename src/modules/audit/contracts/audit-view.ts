import type { Actor } from '../../../kernel/event.js';
import type { Json } from '../../../kernel/json.js';

/** What an audit entry is about. A replica is told as part of its package. */
export const TARGET_TYPES = ['PACKAGE', 'PEER', 'INVITATION', 'ACCOUNT', 'SERVER'] as const;
export type TargetType = (typeof TARGET_TYPES)[number];

/** One thing about the target that is another than before; null for what was not there. */
export interface Change {
  readonly field: string;
  readonly before: Json;
  readonly after: Json;
}

/** On which other server something began, and by whom. Null for what is not known. */
export interface Origin {
  readonly serverId: string;
  readonly serverName: string | null;
  readonly actor: string | null;
}

/** One recorded event, as it is shown. */
export interface AuditEntryView {
  readonly id: string;
  /** Its number in the order of the log. */
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
  /** Null when it began here. */
  readonly origin: Origin | null;
}
