import type { RecordedEvent } from '../../src/kernel/events.js';
import type { EventStore, SubscribeOptions, SubscriptionItem } from '../../src/ports/event-store.port.js';

type Options = Omit<SubscribeOptions, 'signal'>;

/** Reads a subscription until the condition holds for what came so far, then ends it. */
export async function followUntil(
  store: EventStore,
  options: Options,
  done: (items: readonly SubscriptionItem[]) => boolean,
): Promise<SubscriptionItem[]> {
  const end = new AbortController();
  const items: SubscriptionItem[] = [];
  for await (const item of store.subscribe({ ...options, signal: end.signal })) {
    items.push(item);
    if (done(items)) end.abort();
  }
  return items;
}

export const eventsIn = (items: readonly SubscriptionItem[]): RecordedEvent[] =>
  items.flatMap((item) => (item.kind === 'events' ? [...item.events] : []));

/** The history as it stands. */
export async function readAll(store: EventStore, after: string | null = null): Promise<RecordedEvent[]> {
  return eventsIn(await followUntil(store, { after }, (items) => items.at(-1)?.kind === 'caughtUp'));
}

/** A subscription that runs beside the test; `until` resolves when the condition holds. */
export class Follower {
  readonly events: RecordedEvent[] = [];
  cursor: string | null;
  private readonly end = new AbortController();
  private readonly done: Promise<void>;
  private checks: (() => void)[] = [];
  private ended = false;

  constructor(store: EventStore, options: Options = { after: null }) {
    this.cursor = options.after;
    this.done = this.run(store.subscribe({ ...options, signal: this.end.signal }));
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.ended) throw new Error('The subscription ended before that');
      await Promise.race([new Promise<void>((resolve) => this.checks.push(resolve)), this.done]);
    }
  }

  async stop(): Promise<void> {
    this.end.abort();
    await this.done;
  }

  private async run(items: AsyncIterable<SubscriptionItem>): Promise<void> {
    for await (const item of items) {
      if (item.kind === 'events') this.events.push(...item.events);
      this.cursor = item.cursor;
      for (const check of this.checks.splice(0)) check();
    }
    this.ended = true;
  }
}
