import type { DataSource } from 'typeorm';
import type { EventStore } from '../../../../ports/event-store.port.js';

/** What is verified: the log, and the database with the chain and the entries that are shown. */
export interface LogSources {
  readonly store: EventStore;
  /** Connections whose search path is the schema of the read models. */
  readonly dataSource: DataSource;
}
