import type { DataSource } from 'typeorm';
import type { AuditEntryView } from '../contracts/audit-view.js';
import type { AuditFilter } from '../queries/audit-trail.query.js';
import { findEntries } from '../queries/search/find-entries.js';

const PAGE_ENTRIES = 500;

/** All entries that a filter lets through up to one, the oldest first, a page at a time: as much as is asked for is read. */
export async function* readEntryPages(
  dataSource: DataSource,
  filter: AuditFilter,
  upTo: number,
): AsyncGenerator<readonly AuditEntryView[]> {
  for (let beyond: number | null = null; ;) {
    const page: readonly AuditEntryView[] = await findEntries(dataSource, filter, {
      order: 'oldest',
      count: PAGE_ENTRIES,
      beyond,
    });
    const wanted = page.filter(({ seq }) => seq <= upTo);
    if (wanted.length > 0) yield wanted;
    const last = page.at(-1);
    if (!last || page.length < PAGE_ENTRIES || wanted.length < page.length) return;
    beyond = last.seq;
  }
}

/** One by one, with a look at the next. */
export class EntryReader {
  private page: readonly AuditEntryView[] = [];
  private at = 0;
  private ended = false;

  constructor(private readonly pages: AsyncGenerator<readonly AuditEntryView[]>) {}

  /** Null behind the last one. */
  async peek(): Promise<AuditEntryView | null> {
    while (this.at >= this.page.length && !this.ended) {
      const next = await this.pages.next();
      this.ended = next.done === true;
      this.page = next.done === true ? [] : next.value;
      this.at = 0;
    }
    return this.page[this.at] ?? null;
  }

  skip(): void {
    this.at += 1;
  }
}
