import type { NewEvent } from '../../../kernel/event.js';
import type { ExpectedRevision } from '../../../ports/event-store.port.js';
import { checkAppend } from '../../shared/event-log/checked-append.js';
import type { SerializedAppend } from './sql/append.js';

const ANY = -2n;
const NONE = -1n;

/** Checks and serializes an append for `log.append`. */
export function serialize(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): SerializedAppend {
  const recorded = events.map(({ recordedAt }) => recordedAt?.toISOString() ?? null);
  return { ...checkAppend(stream, events, expected), expected: toNumber(expected), recorded };
}

function toNumber(expected: ExpectedRevision): bigint {
  if (expected === 'any') return ANY;
  return expected === 'none' ? NONE : expected;
}
