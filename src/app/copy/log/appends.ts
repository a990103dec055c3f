import type { Append } from '../../../adapters/event-store/postgres/postgres-event-store.js';
import type { RecordedEvent } from '../../../kernel/event.js';

/** Of one append. EventStoreDB refuses more than 1 MiB; an event may have 64 KiB of data and 16 KiB of metadata. */
const MAX_APPEND_BYTES = 512 * 1024;
const MAX_APPEND_EVENTS = 500;

interface AppendGroup {
  readonly stream: string;
  readonly events: RecordedEvent[];
  bytes: number;
}

/** Events of a log as the appends that make them again: neighbours of one stream go together, the order stays. */
export function groupAppends(events: readonly RecordedEvent[]): readonly Append[] {
  const groups: AppendGroup[] = [];
  for (const event of events) {
    const bytes = Buffer.byteLength(JSON.stringify([event.data, event.metadata]));
    const last = groups.at(-1);
    if (
      last?.stream === event.stream &&
      last.bytes + bytes <= MAX_APPEND_BYTES &&
      last.events.length < MAX_APPEND_EVENTS
    ) {
      last.events.push(event);
      last.bytes += bytes;
    } else {
      groups.push({ stream: event.stream, events: [event], bytes });
    }
  }
  return groups.map(({ stream, events: [first, ...rest] }) => makeAppend(stream, first, rest));
}

/** Exactly after the event before it, so that a stream that somebody else wrote to refuses it. */
function makeAppend(stream: string, first: RecordedEvent | undefined, rest: readonly RecordedEvent[]): Append {
  if (!first) throw new Error('A group without events');
  const expected = first.revision === 0n ? 'none' : first.revision - 1n;
  return {
    stream,
    expected,
    events: [first, ...rest].map(({ id, type, data, metadata, recordedAt }) => ({
      id,
      type,
      data,
      metadata,
      recordedAt,
    })),
  };
}
