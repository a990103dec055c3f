import { expect } from 'vitest';
import type { Decider } from '../../src/kernel/decider.js';
import type { DomainEvent } from '../../src/kernel/events.js';
import { Refusal } from '../../src/kernel/errors.js';

/** Reads a decider's spec as: given these events, when this command, then these events or this refusal. */
export function specOf<S, C, E extends DomainEvent>(decider: Decider<S, C, E>) {
  return {
    given: (...events: readonly E[]) => ({
      state: () => events.reduce((state, event) => decider.evolve(state, event), decider.initial),
      when(command: C) {
        const decide = () => decider.decide(command, this.state());
        return {
          gives: (...expected: readonly E[]) => expect(decide()).toEqual(expected),
          events: decide,
          refuses: (code: string) => expect(codeOf(decide)).toBe(code),
        };
      },
    }),
  };
}

function codeOf(decide: () => unknown): string | null {
  try {
    decide();
    return null;
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}
