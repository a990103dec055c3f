import type { NewEvent, RecordedEvent } from '../../../src/kernel/events.js';
import {
  EventStore,
  RevisionConflict,
  type Appended,
  type ExpectedRevision,
  type SubscribeOptions,
  type SubscriptionItem,
} from '../../../src/ports/event-store.port.js';
import type { Gate, Life } from './gate.js';

/** What a server keeps of its log, whatever happens to its process. */
export class LogFile {
  readonly all: RecordedEvent[] = [];
  private readonly streams = new Map<string, RecordedEvent[]>();

  constructor(
    readonly epoch: string,
    private readonly now: () => Date,
  ) {}

  of(stream: string): readonly RecordedEvent[] {
    return this.streams.get(stream) ?? [];
  }

  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Appended {
    const before = this.streams.get(stream) ?? [];
    const actual = before.length === 0 ? null : BigInt(before.length - 1);
    if (expected !== 'any' && expected !== (actual ?? 'none')) throw new RevisionConflict(stream, expected, actual);
    for (const event of events) {
      const place = {
        stream,
        revision: BigInt(before.length),
        cursor: String(this.all.length + 1),
        recordedAt: this.now(),
      };
      const record = { ...event, ...place };
      before.push(record);
      this.all.push(record);
    }
    this.streams.set(stream, before);
    return { revision: BigInt(before.length - 1), cursor: String(this.all.length) };
  }
}

/** The log as one run of the process sees it. Its subscriptions end where a real one would wait for news. */
export class MeshLog extends EventStore {
  constructor(
    private readonly file: LogFile,
    private readonly gate: Gate,
    private readonly life: Life,
  ) {
    super();
  }

  override async append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<Appended> {
    await this.gate.pass(this.life);
    const appended = this.file.append(stream, events, expected);
    // A process may die after the append and before it hears of it.
    await this.gate.pass(this.life);
    return appended;
  }

  override async *readStream(stream: string, from = 0n): AsyncIterable<RecordedEvent> {
    await this.gate.pass(this.life);
    yield* this.file.of(stream).slice(Number(from));
  }

  override async *subscribe({ after, types }: SubscribeOptions): AsyncIterable<SubscriptionItem> {
    let at = Number(after ?? 0);
    while (at < this.file.all.length) {
      await this.gate.pass(this.life);
      const page = this.file.all.slice(at, at + 1 + this.gate.choose(12));
      at += page.length;
      const events = page.filter(({ type }) => types?.includes(type) ?? true);
      yield events.length > 0
        ? { kind: 'events', events, cursor: String(at) }
        : { kind: 'checkpoint', cursor: String(at) };
    }
  }

  override async head(): Promise<string | null> {
    return this.file.all.at(-1)?.cursor ?? null;
  }

  override async idAt(cursor: string): Promise<string | null> {
    return this.file.all[Number(cursor) - 1]?.id ?? null;
  }

  override compareCursors(a: string | null, b: string | null): number {
    return Number(a ?? 0) - Number(b ?? 0);
  }

  override async epoch(): Promise<string> {
    return this.file.epoch;
  }

  override async close(): Promise<void> {}
}
