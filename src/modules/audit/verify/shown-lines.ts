import type { RecordedEvent } from '../../../kernel/events.js';
import type { AuditEntryView } from '../trail/audit-view.js';
import { AuditProjection } from '../trail/audit.projection.js';
import { Tampered } from './problem.js';
import { ShownEntries } from './shown-entries.js';
import { Metadata, type EntryLine, type HeaderLine } from './export-shapes.js';

/** Their stories are told without the texts of which an export holds just the digests. */
const TOLD_ANYWAY = new Set(['PackageChunksHashed', 'PeerInvited']);

const isShortened = ({ type, data }: EntryLine): boolean =>
  !TOLD_ANYWAY.has(type) && JSON.stringify(data).includes('"$sha256"');

/** Compares what is shown of each entry with what its event tells. */
export class ShownLines {
  private readonly entries = new ShownEntries();
  /** Told in the words of another version of this program, they would differ. */
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
      // The count of entries is another than that of the lines where some events are not shown.
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
