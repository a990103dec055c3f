import type { NewEvent } from '../../../kernel/event.js';
import type { ExpectedRevision } from '../../../ports/event-store.port.js';
import { checkAppend } from '../../shared/event-log/checked-append.js';
import type { SerializedAppend } from './sql/append.js';

const ANY_REVISION = -2n;
const NO_STREAM = -1n;

/** Checks and serializes an append for `log.append`. */
export function serializeAppend(
  stream: string,
  events: readonly NewEvent[],
  expected: ExpectedRevision,
): SerializedAppend {
  const recorded = events.map(({ recordedAt }) => recordedAt?.toISOString() ?? null);
  return { ...checkAppend(stream, events, expected), expected: toRevisionNumber(expected), recorded };
}

function toRevisionNumber(expected: ExpectedRevision): bigint {
  if (expected === 'any') return ANY_REVISION;
  return expected === 'none' ? NO_STREAM : expected;
}
