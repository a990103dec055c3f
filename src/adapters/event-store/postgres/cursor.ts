import { Refusal } from '../../../kernel/refusal.js';

const MAX_POSITION = 2n ** 63n - 1n;

/** A cursor is a position in decimal; null stands before the first. @throws Refusal INVALID_CURSOR */
export function positionOf(cursor: string | null): bigint {
  if (cursor === null) return 0n;
  if (!/^(0|[1-9]\d{0,18})$/.test(cursor) || BigInt(cursor) > MAX_POSITION) {
    throw new Refusal('INVALID_CURSOR', 'This is not a cursor of the event log');
  }
  return BigInt(cursor);
}
