import type { EventStore, SubscribeOptions, SubscriptionItem } from '../../../ports/event-store.port.js';

export type ReadableLog = Pick<EventStore, 'subscribe'>;

/** A log as it was when `end` was its last event; empty when that is null. */
export const logUpTo = (store: EventStore, end: string | null): ReadableLog => ({
  subscribe: (options) => subscribeUpTo(store, end, options),
});

async function* subscribeUpTo(
  store: EventStore,
  end: string | null,
  options: SubscribeOptions,
): AsyncGenerator<SubscriptionItem> {
  if (end === null) return;
  for await (const item of store.subscribe(options)) {
    if (item.kind !== 'events') yield item;
    else yield { ...item, events: item.events.filter(({ cursor }) => store.compareCursors(cursor, end) <= 0) };
    if (store.compareCursors(item.cursor, end) >= 0) return;
  }
}
