import type { DomainEvent } from './event.js';
import type { EventFamily, Recorded } from './event-family.js';

/** What can be known from one stream, `<category>-<id>`, without deciding anything. */
export interface StreamFold<State, Event extends DomainEvent> {
  readonly category: string;
  readonly events: EventFamily<Event>;
  readonly initial: State;
  evolve(state: State, event: Recorded<Event>): State;
}
