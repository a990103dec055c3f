import type { DomainEvent, EventFamily, Recorded } from './events.js';

/** Folds the events of one stream, `<category>-<id>`, into a state for readers that decide nothing. */
export interface StreamFold<State, Event extends DomainEvent> {
  readonly category: string;
  readonly events: EventFamily<Event>;
  readonly initial: State;
  evolve(state: State, event: Recorded<Event>): State;
}

/**
 * A pure aggregate: `decide` turns a command into events or throws a Refusal; `evolve` folds an event into the
 * state. It uses no clock, no random numbers and no I/O: a command contains everything that the decision needs.
 */
export interface Decider<State, Command, Event extends DomainEvent> {
  readonly initial: State;
  decide(command: Command, state: State): readonly Event[];
  evolve(state: State, event: Event): State;
}

/** A decider with the streams that it owns: `<category>-<id>`, or `<category>` for the only one of the server. */
export interface Aggregate<State, Command, Event extends DomainEvent> extends Decider<State, Command, Event> {
  readonly category: string;
  readonly events: EventFamily<Event>;
}

/** Name of the stream of one aggregate. */
export const streamOf = (category: string, id?: string): string => (id === undefined ? category : `${category}-${id}`);
