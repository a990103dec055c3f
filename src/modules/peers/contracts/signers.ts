import type { Stamp } from '../../../kernel/hybrid-clock.js';
import type { Introduction } from '../../../kernel/introduction.js';
import { Message } from '../../../kernel/message.js';

/**
 * Command: learns the keys of servers that a peer introduces. The first keys that are seen of a server are remembered.
 * Later ones count only if a key that is known has signed them; others are refused, which is recorded.
 */
export class LearnSigners extends Message<void> {
  constructor(readonly introductions: readonly Introduction[]) {
    super();
  }
}

/** The stamp from which on a server signs is corrected only by more than this, so that it is recorded seldom. */
export const MIN_CORRECTION_MS = 24 * 3_600_000;

/** Command: notes that a server signs its facts, because a signed fact with this stamp was verified. */
export class NoteSigning extends Message<void> {
  constructor(
    readonly serverId: string,
    readonly stamp: Stamp,
  ) {
    super();
  }
}
