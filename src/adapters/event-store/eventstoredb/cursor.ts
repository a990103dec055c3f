import { Refusal } from '../../../kernel/errors.js';
import type { Positions } from '../../shared/log-tail.js';

/** A position in the stream `$all`, as EventStoreDB returns it. */
export interface Position {
  readonly commit: bigint;
  readonly prepare: bigint;
}

/** The position before all events. None of our events is the first record of a log. */
export const BEGINNING: Position = { commit: 0n, prepare: 0n };

const MAX_POSITION = 2n ** 64n - 1n;

/** Parses a cursor, `<commit>/<prepare>`. Null means the position before all events. @throws Refusal INVALID_CURSOR */
export function positionOf(cursor: string | null): Position {
  if (cursor === null) return BEGINNING;
  const [, commit, prepare] = /^(0|[1-9]\d{0,19})\/(0|[1-9]\d{0,19})$/.exec(cursor) ?? [];
  if (
    commit === undefined ||
    prepare === undefined ||
    BigInt(commit) > MAX_POSITION ||
    BigInt(prepare) > MAX_POSITION
  ) {
    throw new Refusal('INVALID_CURSOR', 'This is not a cursor of the event log');
  }
  return { commit: BigInt(commit), prepare: BigInt(prepare) };
}

export const cursorOf = ({ commit, prepare }: Position): string => `${commit}/${prepare}`;

/** Returns a number that is negative, zero or positive, as `sort` needs it. */
export function comparePositions(a: Position, b: Position): number {
  const difference = a.commit === b.commit ? a.prepare - b.prepare : a.commit - b.commit;
  return difference < 0n ? -1 : Number(difference > 0n);
}

export const isAfter = (a: Position, b: Position): boolean => comparePositions(a, b) > 0;

export const positions: Positions<Position> = { parse: positionOf, format: cursorOf, compare: comparePositions };
