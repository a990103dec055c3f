import type { DataSource } from 'typeorm';
import type { RecordedEvent } from '../../../kernel/events.js';
import { readHistory } from '../../../platform/eventsourcing/history.js';
import type { EventStore } from '../../../ports/event-store.port.js';
import { bindEvent, type ChainLink } from '../chain/chain-entry.js';
import { findLink, readLinks } from '../chain/chain-table.js';
import { readCheckpointAt, readCheckpointsOf } from '../chain/checkpoint-table.js';
import type { AuditEntryView, AuditFilter } from '../trail/audit-view.js';
import { findEntries } from '../trail/find-entries.js';
import type { ExportLine, Shown } from './export-format.js';

const PAGE_ENTRIES = 500;

/** Reads all entries that a filter selects, up to one entry and the oldest first. It reads a page only when the caller asks for it. */
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

/** Reads entries one by one, and can look at the next one. */
class EntryReader {
  private page: readonly AuditEntryView[] = [];
  private at = 0;
  private ended = false;

  constructor(private readonly pages: AsyncGenerator<readonly AuditEntryView[]>) {}

  /** The next entry; null after the last one. */
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

const shownOf = ({ target, summary, details, changes, origin }: AuditEntryView): Shown => ({
  target,
  summary,
  details,
  changes,
  origin,
});

/** The place in the log where an export begins. */
interface Beginning {
  readonly number: number;
  readonly cursor: string | null;
}

/**
 * Reads the log, the chain and the entries side by side, up to an entry of the chain. Without a filter, every event and every
 * checkpoint is a line. With a filter, only the entries that it selects are lines.
 */
export async function* readExportLines(
  dataSource: DataSource,
  store: EventStore,
  filter: AuditFilter | null,
  upTo: number,
): AsyncGenerator<ExportLine[]> {
  const entries = new EntryReader(readEntryPages(dataSource, filter ?? {}, Number.MAX_SAFE_INTEGER));
  const begin = filter ? await findBeginning(dataSource, store, await entries.peek()) : { number: 0, cursor: null };
  if (!begin) return;
  let { number } = begin;
  for await (const page of readHistory(store, begin.cursor)) {
    if (number >= upTo) return;
    const events = page.slice(0, upTo - number);
    yield await makePageLines(dataSource, events, number, entries, filter === null);
    number += events.length;
    if (filter && (await entries.peek()) === null) return;
  }
}

/** Finds the beginning with a checkpoint before the first entry, because a checkpoint knows its place in the log. Null when there is no entry. */
async function findBeginning(
  dataSource: DataSource,
  store: EventStore,
  first: AuditEntryView | null,
): Promise<Beginning | null> {
  if (!first) return null;
  const link = await findLink(dataSource, first.id);
  if (!link) return null;
  return (await readCheckpointAt(dataSource, link.number - 1, await store.epoch())) ?? { number: 0, cursor: null };
}

async function makePageLines(
  dataSource: DataSource,
  events: readonly RecordedEvent[],
  before: number,
  entries: EntryReader,
  whole: boolean,
): Promise<ExportLine[]> {
  const [from, to] = [before + 1, before + events.length];
  const links = new Map((await readLinks(dataSource, before, to)).map((link) => [link.number, link]));
  const checkpoints = whole ? await readCheckpointsOf(dataSource, from, to) : [];
  const lines: ExportLine[] = [];
  for (const [i, event] of events.entries()) {
    const number = from + i;
    const entry = await entries.peek();
    const isShown = entry?.id === event.id;
    if (isShown) entries.skip();
    if (isShown || whole) lines.push(makeEntryLine(event, number, links, isShown && entry ? shownOf(entry) : null));
    for (const checkpoint of checkpoints) if (checkpoint.number === number) lines.push({ checkpoint });
  }
  return lines;
}

function makeEntryLine(
  event: RecordedEvent,
  number: number,
  links: ReadonlyMap<number, ChainLink>,
  shown: Shown | null,
): ExportLine {
  const previous = number === 1 ? '0'.repeat(64) : (links.get(number - 1)?.hash ?? '');
  return { entry: { ...bindEvent(event, number, previous), hash: links.get(number)?.hash ?? '', shown } };
}
