import { EventEmitter } from 'node:events';
import { checkCommit } from './commit-check.js';
import { LogFile } from './log-file.js';
import { RecentEvents } from './recent-events.js';
import {
  bytesInFile,
  comparePositions,
  nowInTicks,
  type ExpectedRevision,
  type Position,
  type ProposedEvent,
  type StoredEvent,
} from './record.js';
import { firstStart, newEpoch, statistics, type SystemAppend } from './system-events.js';

export interface LogOptions {
  /** Keeps the log in a file too; without one it lives as long as the object. */
  readonly dataFile?: string | undefined;
  /** A system event follows every this many appends. */
  readonly systemEventEvery: number;
  /** How many event ids are remembered for appends that expect any revision. */
  readonly recentIds: number;
  /** The events of one append share one commit position, as those of an explicit transaction do. */
  readonly sharedCommits: boolean;
}

export type AppendResult =
  | { readonly kind: 'success'; readonly revision: bigint | null; readonly position: Position | null }
  | { readonly kind: 'conflict'; readonly revision: bigint | null };

/** Where the first record starts: the log file has a header, and the first epoch record. */
const FIRST_POSITION = 1_214n;
const COMMIT_RECORD = 58n;

/** All events, in order, by stream and by place. */
export class EventLog {
  readonly all: StoredEvent[] = [];
  /** Emits `appended` after each append. */
  readonly changes = new EventEmitter().setMaxListeners(0);
  private readonly streams = new Map<string, StoredEvent[]>();
  private readonly file: LogFile | undefined;
  private recent: RecentEvents;
  private end = FIRST_POSITION;
  private appends = 0;

  constructor(private readonly options: LogOptions) {
    this.recent = new RecentEvents(options.recentIds);
    this.file = options.dataFile === undefined ? undefined : new LogFile(options.dataFile);
  }

  /** The server starts: what a process holds in memory only is gone. */
  open(): void {
    this.recent = new RecentEvents(this.options.recentIds);
    if (this.file) this.load(this.file.open());
    if (this.all.length === 0) this.appendSystem(firstStart());
    this.appendSystem(newEpoch(this.stream('$epoch-information').length));
  }

  close(): void {
    this.file?.close();
  }

  stream(name: string): readonly StoredEvent[] {
    return this.streams.get(name) ?? [];
  }

  /** Index in `all` of the first event that does not stand before a position. */
  indexOf(position: Position): number {
    let low = 0;
    let high = this.all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const event = this.all[middle];
      if (event && comparePositions(event, position) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  append(stream: string, events: readonly ProposedEvent[], expected: ExpectedRevision): AppendResult {
    const stored = this.stream(stream);
    const hasMetadata = this.streams.has(`$$${stream}`);
    const ids = events.map(({ id }) => id);
    const decision = checkCommit({ stream, expected, ids, stored, hasMetadata, recent: this.recent });
    if (decision.kind === 'conflict') return { kind: 'conflict', revision: stored.at(-1)?.revision ?? null };
    if (decision.kind === 'repeated') return success(decision.last);
    const last = this.store(stream, events);
    if (++this.appends % this.options.systemEventEvery === 0) this.appendSystem(statistics(this.all.length));
    return last ? success(last) : { kind: 'success', revision: stored.at(-1)?.revision ?? null, position: null };
  }

  private appendSystem({ stream, event }: SystemAppend): void {
    this.store(stream, [event]);
  }

  private store(stream: string, proposed: readonly ProposedEvent[]): StoredEvent | undefined {
    if (proposed.length === 0) return undefined;
    const events = this.place(stream, proposed);
    this.file?.write(events);
    for (const event of events) this.add(event);
    this.changes.emit('appended');
    return events.at(-1);
  }

  /** Gives the events their revisions and positions. */
  private place(stream: string, proposed: readonly ProposedEvent[]): StoredEvent[] {
    const first = BigInt(this.stream(stream).length);
    const created = nowInTicks();
    const starts = proposed.map((event) => {
      const start = this.end;
      this.end += bytesInFile(stream, event);
      return start;
    });
    const shared = this.options.sharedCommits ? this.end : undefined;
    if (shared !== undefined) this.end += COMMIT_RECORD;
    return proposed.map((event, i) => {
      const prepare = starts[i] ?? this.end;
      return { ...event, stream, revision: first + BigInt(i), prepare, commit: shared ?? prepare, created };
    });
  }

  private add(event: StoredEvent): void {
    const stream = this.streams.get(event.stream);
    if (stream) stream.push(event);
    else this.streams.set(event.stream, [event]);
    this.all.push(event);
    this.recent.add(event);
  }

  private load(events: readonly StoredEvent[]): void {
    this.all.length = 0;
    this.streams.clear();
    for (const event of events) this.add(event);
    this.recent = new RecentEvents(this.options.recentIds);
    const last = events.at(-1);
    this.end = last ? last.commit + bytesInFile(last.stream, last) : FIRST_POSITION;
  }
}

const success = ({ revision, commit, prepare }: StoredEvent): AppendResult => ({
  kind: 'success',
  revision,
  position: { commit, prepare },
});
