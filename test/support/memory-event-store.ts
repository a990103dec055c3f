import type { NewEvent, RecordedEvent } from '../../src/kernel/events.js';
import {
  EventStore,
  RevisionConflict,
  type Appended,
  type ExpectedRevision,
  type SubscriptionItem,
} from '../../src/ports/event-store.port.js';

/** A log in memory for tests of what stands above it; it has no subscriptions. */
export class MemoryEventStore extends EventStore {
  readonly all: RecordedEvent[] = [];
  /** Bytes of each append's data. */
  readonly appends: number[] = [];

  override async append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<Appended> {
    const last = this.of(stream).length - 1;
    const actual = last < 0 ? null : BigInt(last);
    if (expected !== 'any' && expected !== (actual ?? 'none')) throw new RevisionConflict(stream, expected, actual);
    this.appends.push(JSON.stringify(events).length);
    events.forEach((event, i) => {
      const revision = BigInt(last + 1 + i);
      this.all.push({ ...event, stream, revision, cursor: String(this.all.length + 1), recordedAt: new Date() });
    });
    return { revision: BigInt(last + events.length), cursor: String(this.all.length) };
  }

  override async *readStream(stream: string, from = 0n): AsyncIterable<RecordedEvent> {
    yield* this.of(stream).slice(Number(from));
  }

  override subscribe(): AsyncIterable<SubscriptionItem> {
    throw new Error('This log has no subscriptions');
  }

  override async head(): Promise<string | null> {
    return this.all.at(-1)?.cursor ?? null;
  }

  override async idAt(cursor: string): Promise<string | null> {
    return this.all.find((event) => event.cursor === cursor)?.id ?? null;
  }

  override compareCursors(a: string | null, b: string | null): number {
    return Number(a ?? 0) - Number(b ?? 0);
  }

  override async epoch(): Promise<string> {
    return 'memory';
  }

  override async close(): Promise<void> {}

  private of(stream: string): RecordedEvent[] {
    return this.all.filter((event) => event.stream === stream);
  }
}
