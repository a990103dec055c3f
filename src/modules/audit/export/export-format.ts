import { canonicalJson } from '../../../kernel/text.js';
import type { BoundEvent } from '../chain/chain-entry.js';
import type { Checkpoint } from '../chain/checkpoint.js';
import type { AuditEntryView, AuditFilter } from '../trail/audit-view.js';

export const FORMAT = 1;

/** The first line of an export. */
export interface ExportHeader {
  readonly format: number;
  readonly serverId: string;
  readonly serverName: string;
  readonly at: string;
  /** Null when the export contains everything. Only then can the chain be verified from its beginning to its end. */
  readonly filter: AuditFilter | null;
  /** Version of the descriptions of entries. */
  readonly stories: number;
  /** Entries of the chain when the export began. */
  readonly entries: number;
}

/** The shown part of an entry. */
export type Shown = Pick<AuditEntryView, 'target' | 'summary' | 'details' | 'changes' | 'origin'>;

/** An entry: the event as it is hashed, its hash, and its shown part. `shown` is null for an event that this program does not know. */
interface ExportEntry extends BoundEvent {
  readonly hash: string;
  readonly shown: Shown | null;
}

/** The last line, which is signed. An export without it was cut off, and no line before it can be changed unnoticed. */
interface ExportEnd {
  /** Number of lines with entries. */
  readonly entries: number;
  /** The last entry of the chain that the export covers, even if it is not among the lines. */
  readonly number: number;
  readonly hash: string;
  /** SHA-256 of all previous lines with their line ends. */
  readonly lines: string;
  readonly serverId: string;
  readonly at: string;
  /** Public key of the server, base64url. */
  readonly key: string;
  readonly signature: string;
}

export type ExportLine =
  | { readonly export: ExportHeader }
  | { readonly entry: ExportEntry }
  | { readonly checkpoint: Checkpoint }
  | { readonly end: ExportEnd };

const PURPOSE = 'odst audit export\n';

/** The signed bytes of the last line of an export: everything except the signature, as canonical JSON (RFC 8785). */
export function exportEndBytes({
  entries,
  number,
  hash,
  lines,
  serverId,
  at,
  key,
}: Omit<ExportEnd, 'signature'>): Buffer {
  return Buffer.from(PURPOSE + canonicalJson({ entries, number, hash, lines, serverId, at, key }));
}
