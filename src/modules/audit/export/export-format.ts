import { canonicalJson } from '../../../kernel/text.js';
import type { BoundEvent, Checkpoint } from '../chain/chain-entry.js';
import type { AuditFilter } from '../trail/audit-trail.query.js';
import type { AuditEntryView } from '../trail/audit-view.js';

export const FORMAT = 1;

/** The first line. */
export interface ExportHeader {
  readonly format: number;
  readonly serverId: string;
  readonly serverName: string;
  readonly at: string;
  /** Null for everything: only then the chain can be verified from its beginning to its end. */
  readonly filter: AuditFilter | null;
  /** Version of the words in which entries are told. */
  readonly stories: number;
  /** Entries of the chain when the export began. */
  readonly entries: number;
}

/** What is shown of an entry; null when this program knows nothing to tell of the event. */
export type Shown = Pick<AuditEntryView, 'target' | 'summary' | 'details' | 'changes' | 'origin'>;

/** An entry: the event as the chain binds it, its hash, and what is shown of it. */
interface ExportEntry extends BoundEvent {
  readonly hash: string;
  readonly shown: Shown | null;
}

/** The last line, signed: without it the export is cut off, and with it nothing before can be another. */
interface ExportEnd {
  /** Lines of entries. */
  readonly entries: number;
  /** The last entry of the chain up to which the export goes, whether or not it is among the lines. */
  readonly number: number;
  readonly hash: string;
  /** SHA-256 of all lines before, with their line ends. */
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

/** What is signed of the last line of an export: all but the signature, canonical (RFC 8785). */
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
