import type { DomainEvent, EventFamily, Recorded } from './events.js';

/** What can be known from one stream, `<category>-<id>`, without deciding anything. */
export interface StreamFold<State, Event extends DomainEvent> {
  readonly category: string;
  readonly events: EventFamily<Event>;
  readonly initial: State;
  evolve(state: State, event: Recorded<Event>): State;
}

/**
 * A pure aggregate: `decide` turns a command into events or throws a Refusal; `evolve` folds an event into the
 * state. No clock, no randomness, no I/O: what a decision needs comes with the command.
 */
export interface Decider<State, Command, Event extends DomainEvent> {
  readonly initial: State;
  decide(command: Command, state: State): readonly Event[];
  evolve(state: State, event: Event): State;
}

/** A decider with the streams it owns: `<category>-<id>`, or just `<category>` when there is one for the server. */
export interface Aggregate<State, Command, Event extends DomainEvent> extends Decider<State, Command, Event> {
  readonly category: string;
  readonly events: EventFamily<Event>;
}

/** The stream of one aggregate. */
export const streamOf = (category: string, id?: string): string => (id === undefined ? category : `${category}-${id}`);
