import type { RecordedEvent } from '../../../kernel/event.js';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import type { EventStore } from '../../../ports/event-store.port.js';

/** A log that is copied from or to. */
export interface Endpoint {
  readonly label: string;
  readonly store: EventStore;
  /** The PostgreSQL that it is in; null for another engine. */
  readonly database: DatabaseSettings | null;
  /**
   * Records events of another log at the end of this one, in their order and with nothing in between. Cut off, it has
   * recorded a beginning of them.
   * @throws RevisionConflict, EventStoreUnavailable
   */
  write(events: readonly RecordedEvent[]): Promise<void>;
  close(): Promise<void>;
}
