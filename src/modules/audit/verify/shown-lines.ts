import type { RecordedEvent } from '../../../kernel/events.js';
import type { AuditEntryView } from '../trail/audit-view.js';
import { AuditProjection } from '../trail/audit.projection.js';
import { Tampered } from './problem.js';
import { ShownEntries } from './shown-entries.js';
import { Metadata, type EntryLine, type HeaderLine } from './export-shapes.js';

/** The descriptions of these events do not need the texts that an export replaces by digests. */
const TOLD_ANYWAY = new Set(['PackageChunksHashed', 'PeerInvited']);

const isShortened = ({ type, data }: EntryLine): boolean =>
  !TOLD_ANYWAY.has(type) && JSON.stringify(data).includes('"$sha256"');

/** Compares each shown entry with the description of its event. */
export class ShownLines {
  private readonly entries = new ShownEntries();
  /** False when another version of this program has described the entries, since the descriptions would differ. */
  readonly comparable: boolean;
  private readonly isWhole: boolean;

  constructor({ stories, filter }: HeaderLine) {
    this.comparable = stories === new AuditProjection().version;
    this.isWhole = filter === null;
  }

  /** @throws Tampered */
  compareLine(line: EntryLine): void {
    if (!this.comparable || isShortened(line)) return;
    const metadata = Metadata.safeParse(line.metadata);
    if (!metadata.success) return;
    const { id, type, data, stream, revision, recordedAt, number } = line;
    const at = { revision: BigInt(revision), recordedAt: new Date(recordedAt), cursor: '' };
    const record: RecordedEvent = { id, type, data, stream, metadata: metadata.data, ...at };
    try {
      this.entries.compareEntries([record], () => viewOf(record, line), !this.isWhole);
    } catch (error) {
      // The numbers of entries and lines differ when some events are not shown.
      throw error instanceof Tampered ? new Tampered({ ...error.problem, number, upTo: number }) : error;
    }
  }
}

function viewOf(
  { id, type: kind, recordedAt, metadata }: RecordedEvent,
  { shown }: EntryLine,
): AuditEntryView | undefined {
  if (!shown) return undefined;
  const { actor, address, serverId, correlationId, causationId } = metadata;
  return { id, seq: 0, kind, recordedAt, actor, address, serverId, correlationId, causationId, ...shown };
}
