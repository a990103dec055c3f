import type { RecordedEvent } from '../../../kernel/events.js';
import { type AuditEntryView, ENTRY_COLUMNS, type EntryRow, toAuditView } from '../trail/audit-view.js';
import { AuditProjection } from '../trail/audit.projection.js';
import { describedTypes } from '../../../platform/eventsourcing/event-descriptions.js';
import { findFailedIds } from '../../../platform/failures/unprocessable-events.js';
import { Tampered } from './problem.js';
import { ShownEntries } from './shown-entries.js';
import type { LogSources } from './verify-page.js';

interface Extent {
  /** The entries contain everything up to this cursor. */
  readonly cursor: string;
  readonly last: number;
}

/** Compares what `auditTrail` shows with the event log. */
export class ReadModelCheck {
  private readonly entries = new ShownEntries();
  private partly = false;

  private constructor(
    private readonly sources: LogSources,
    /** Null while the entries are being built, so that nothing can be compared. */
    readonly extent: Extent | null,
    /** The ids of the events that are not shown, because they could not be processed. */
    private readonly unprocessable: ReadonlySet<string>,
  ) {}

  static async open(sources: LogSources): Promise<ReadModelCheck> {
    const { name, version } = new AuditProjection();
    const rows: { version: number; cursor: string | null; last: string | null }[] = await sources.dataSource.query(
      'SELECT c.version, c.cursor, (SELECT max(seq) FROM audit_entries) AS last FROM checkpoints c WHERE projection = $1',
      [name],
    );
    const [row] = rows;
    const ready = row?.version === version && row.cursor !== null;
    return new ReadModelCheck(
      sources,
      ready && row.cursor !== null ? { cursor: row.cursor, last: Number(row.last ?? 0) } : null,
      await findFailedIds(sources.dataSource, name),
    );
  }

  /** The number of events that cannot be shown. */
  get unshown(): number {
    return this.unprocessable.size;
  }

  get compared(): number {
    return this.entries.seq;
  }

  /** Begins with the entry of this event and skips everything before it. */
  async beginAt(eventId: string): Promise<void> {
    const rows: { seq: string }[] = await this.sources.dataSource.query(
      'SELECT seq FROM audit_entries WHERE event_id = $1',
      [eventId],
    );
    this.entries.skipTo(Number(rows[0]?.seq ?? 1) - 1);
    this.partly = true;
  }

  /** Skips all entries. */
  skipAll(): void {
    this.entries.skipTo(this.extent?.last ?? 0);
  }

  /** @throws Tampered */
  async comparePage(events: readonly RecordedEvent[]): Promise<void> {
    const { extent, sources, unprocessable } = this;
    if (!extent) return;
    const within = events.filter(
      ({ id, type, cursor }) =>
        describedTypes().includes(type) &&
        !unprocessable.has(id) &&
        sources.store.compareCursors(cursor, extent.cursor) <= 0,
    );
    if (within.length === 0) return;
    const shown = await this.readEntries(this.entries.seq + 1, this.entries.seq + within.length);
    this.entries.compareEntries(within, (seq) => shown.get(seq), this.partly);
  }

  /** @throws Tampered when more entries are shown than the log has events */
  checkEnd(): void {
    const { extent, entries } = this;
    if (!extent || extent.last <= entries.seq) return;
    const number = entries.seq + 1;
    const what = `The shown entries continue up to number ${extent.last}, but the log has only ${entries.seq} of them: the others were inserted, or their events were removed.`;
    throw new Tampered({ wrong: 'inserted', number, upTo: extent.last, eventId: null, what });
  }

  private async readEntries(from: number, to: number): Promise<Map<number, AuditEntryView>> {
    const rows: EntryRow[] = await this.sources.dataSource.query(
      `SELECT ${ENTRY_COLUMNS} FROM audit_entries e WHERE seq BETWEEN $1 AND $2`,
      [from, to],
    );
    return new Map(rows.map(toAuditView).map((entry) => [entry.seq, entry]));
  }
}
