import type { AuditEntryView } from '../trail/audit-view.js';

/** A spreadsheet treats a field that begins with one of these characters as a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** A field of RFC 4180, always quoted. One that looks like a formula gets an apostrophe in front, which makes it text. */
export function csvField(value: string): string {
  const harmless = FORMULA.test(value) ? `'${value}` : value;
  return `"${harmless.replaceAll('"', '""')}"`;
}

export const csvRecord = (fields: readonly string[]): string => `${fields.map(csvField).join(',')}\r\n`;

export const CSV_HEADER = [
  'number',
  'recordedAt',
  'kind',
  'summary',
  'actorKind',
  'actorId',
  'actorName',
  'address',
  'targetType',
  'targetId',
  'targetLabel',
  'changes',
  'originServerId',
  'originServerName',
  'originActor',
  'serverId',
  'correlationId',
  'causationId',
  'eventId',
  'details',
] as const;

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** `stage: Test -> Prod; ...` */
const describeChanges = ({ changes }: AuditEntryView): string =>
  changes.map(({ field, before, after }) => `${field}: ${asText(before)} -> ${asText(after)}`).join('; ');

export function csvFields(entry: AuditEntryView): string[] {
  const { actor, target, origin } = entry;
  return [
    String(entry.seq),
    entry.recordedAt.toISOString(),
    entry.kind,
    entry.summary,
    actor.kind,
    actor.id,
    actor.name,
    entry.address ?? '',
    target.type,
    target.id,
    target.label ?? '',
    describeChanges(entry),
    origin?.serverId ?? '',
    origin?.serverName ?? '',
    origin?.actor ?? '',
    entry.serverId,
    entry.correlationId,
    entry.causationId ?? '',
    entry.id,
    JSON.stringify(entry.details),
  ];
}

/** The last record. An export without it is incomplete. */
export const csvEnd = (entries: number): string[] =>
  CSV_HEADER.map((name) =>
    name === 'kind' ? 'EndOfExport' : name === 'summary' ? `Complete: ${entries} entries` : '',
  );
