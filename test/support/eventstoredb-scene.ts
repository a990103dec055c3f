import { v7 } from 'uuid';
import { EventStoreDbEventStore } from '../../src/adapters/event-store/eventstoredb/eventstoredb-event-store.js';
import type { NewEvent } from '../../src/kernel/events.js';
import { someEvents } from '../contract/events.js';
import { EventStoreDbServer } from './eventstoredb/eventstoredb-server.js';
import type { ServerOptions } from './eventstoredb/options.js';

/** Servers and stores of one test, and the promises that nobody caught meanwhile. */
export class EventStoreDbScene {
  readonly logged: string[] = [];
  readonly uncaught: unknown[] = [];
  private readonly servers: EventStoreDbServer[] = [];
  private readonly stores: EventStoreDbEventStore[] = [];
  private readonly onUncaught = (error: unknown): void => void this.uncaught.push(error);

  constructor() {
    process.on('unhandledRejection', this.onUncaught);
  }

  async server(options?: ServerOptions): Promise<EventStoreDbServer> {
    const server = await EventStoreDbServer.start(options);
    this.servers.push(server);
    return server;
  }

  async store(url: string, patience = 30_000): Promise<EventStoreDbEventStore> {
    const store = await EventStoreDbEventStore.connect(url, {
      patience,
      log: (level, message) => this.logged.push(`${level} ${message}`),
    });
    this.stores.push(store);
    return store;
  }

  async end(): Promise<void> {
    for (const server of this.servers) server.delayAppends(0);
    await Promise.all(this.stores.map((store) => store.close()));
    await Promise.all(this.servers.map((server) => server.stop()));
    process.off('unhandledRejection', this.onUncaught);
  }
}

/** Events whose ids were made a minute ago: the server may have forgotten them. */
export const oldEvents = (count: number): NewEvent[] =>
  someEvents(count).map((event) => ({ ...event, id: v7({ msecs: Date.now() - 60_000 }) }));
