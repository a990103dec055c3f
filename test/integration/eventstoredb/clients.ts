import { randomUUID } from 'node:crypto';
import {
  EventStoreDBClient,
  jsonEvent,
  type AllStreamSubscription,
  type EventData,
  type Position,
} from '@eventstore/db-client';

/** Clients of a test, to be disposed of together. */
export class Clients {
  private readonly open = new Set<EventStoreDBClient>();

  connect(url: string): EventStoreDBClient {
    const client = EventStoreDBClient.connectionString(url);
    this.open.add(client);
    return client;
  }

  /**
   * Before the server stops: a connection that fails makes the client reject what other clients have in flight.
   */
  async close(): Promise<void> {
    const clients = [...this.open];
    this.open.clear();
    await Promise.all(clients.map((client) => client.dispose()));
  }
}

export const someEvent = (type = 'Tested', data: Record<string, unknown> = {}, id = randomUUID()): EventData =>
  jsonEvent({ id, type, data });

export const manyEvents = (count: number, type?: string): EventData[] =>
  Array.from({ length: count }, (_, i) => someEvent(type, { i }));

export async function collect<T>(read: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of read) all.push(one);
  return all;
}

/** What a subscription told, in the order it came. */
export class Heard {
  readonly types: string[] = [];
  readonly positions: bigint[] = [];
  readonly checkpoints: Position[] = [];
  readonly signals: string[] = [];
  error: unknown;

  /** For the filter's `checkpointReached`. */
  readonly checkpoint = async (_: unknown, position: Position): Promise<void> => {
    this.checkpoints.push(position);
  };

  to(subscription: AllStreamSubscription): this {
    subscription.on('data', ({ event }) => {
      this.types.push(event?.type ?? '');
      this.positions.push(event?.position?.commit ?? -1n);
    });
    for (const name of ['confirmation', 'caughtUp', 'fellBehind', 'end', 'close'] as const) {
      subscription.on(name as 'end', () => this.signals.push(name));
    }
    subscription.on('error', (error: unknown) => {
      this.error = error;
    });
    return this;
  }
}
