import { z } from 'zod';
import type { RecordedEvent } from '../../../kernel/events.js';
import { describedTypes } from '../../../platform/eventsourcing/event-descriptions.js';
import { readerOf } from '../../../platform/failures/unprocessable-events.js';
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
  /**
   * The entries that are not shown and should be. A later entry has to tell that they could not be processed, or they
   * were removed.
   */
  private readonly unshown = new Map<string, EntryLine>();

  constructor({ stories, filter }: HeaderLine) {
    this.comparable = stories === new AuditProjection().version;
    this.isWhole = filter === null;
  }

  /** @throws Tampered */
  compareLine(line: EntryLine): void {
    if (!this.comparable) return;
    this.noteUnprocessable(line);
    if (isShortened(line)) return;
    if (!line.shown && this.isWhole) return this.noteUnshown(line);
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

  /** @throws Tampered when an entry is not shown, and no entry tells that it could not be processed */
  checkEnd(): void {
    const [line] = this.unshown.values();
    if (!line) return;
    const { number, id: eventId, type } = line;
    const what = `Entry ${number}, event ${eventId} (${type}), is not shown, and no later entry says that it could not be processed: it was removed from the entries.`;
    throw new Tampered({ wrong: 'removed', number, eventId, what });
  }

  private noteUnshown(line: EntryLine): void {
    if (describedTypes().includes(line.type)) this.unshown.set(line.id, line);
  }

  private noteUnprocessable({ type, data }: EntryLine): void {
    const about = type === 'EventUnprocessable' ? AboutAudit.safeParse(data) : null;
    if (about?.success) this.unshown.delete(about.data.eventId);
  }
}

/** The data of an event that tells that the audit trail could not process another event. */
const AboutAudit = z.object({
  reader: z.literal(readerOf.projection(new AuditProjection().name)),
  eventId: z.string(),
});

function viewOf(
  { id, type: kind, recordedAt, metadata }: RecordedEvent,
  { shown }: EntryLine,
): AuditEntryView | undefined {
  if (!shown) return undefined;
  const { actor, address, serverId, correlationId, causationId } = metadata;
  return { id, seq: 0, kind, recordedAt, actor, address, serverId, correlationId, causationId, ...shown };
}
