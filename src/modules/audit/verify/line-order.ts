import { hashEntry } from '../chain/chain-entry.js';
import { Tampered } from './problem.js';
import type { EntryLine } from './export-shapes.js';

const describeLine = ({ number, id, type }: EntryLine): string => `entry ${number} (event ${id}, ${type})`;

/** The hash of a line's entry, when it is what the line says. @throws Tampered */
export function requireOwnHash(line: EntryLine): string {
  const hash = hashEntry(line);
  if (hash === line.hash) return hash;
  const what = `The content of ${describeLine(line)} was changed: its hash is ${hash}, but the line says ${line.hash}.`;
  throw new Tampered({ wrong: 'changed', number: line.number, eventId: line.id, what });
}

/** Makes the error for an entry whose number was used before. */
export function makeRepeatedError(line: EntryLine): Tampered {
  const { number, id: eventId } = line;
  const what = `The number of ${describeLine(line)} was used before: this entry or the earlier one was inserted.`;
  return new Tampered({ wrong: 'inserted', number, eventId, what });
}

/** Makes the error for an entry that comes after a later one. */
export function makeMovedBackError(line: EntryLine, before: EntryLine): Tampered {
  const { number, id: eventId } = line;
  const what = `The ${describeLine(line)} comes after entry ${before.number}: the order was changed.`;
  return new Tampered({ wrong: 'reordered', number, eventId, what });
}

/** Finds out why a line does not have the expected number. `rest` are the numbers of the lines that follow. */
export async function explainWrongNumber(
  line: EntryLine,
  expected: number,
  rest: AsyncIterable<number>,
): Promise<Tampered> {
  const { number, id: eventId } = line;
  if (number < expected) return makeRepeatedError(line);
  for await (const later of rest) {
    if (later !== expected) continue;
    const what = `Entry ${expected} comes later, and ${describeLine(line)} is in its place: the order was changed.`;
    return new Tampered({ wrong: 'reordered', number: expected, eventId, what });
  }
  const missing = number > expected + 1 ? `Entries ${expected} to ${number - 1} were` : `Entry ${expected} was`;
  const what = `${missing} removed: entry ${expected - 1} is followed by ${describeLine(line)}.`;
  return new Tampered({ wrong: 'removed', number: expected, upTo: number - 1, eventId: null, what });
}

/** Makes the error for a line that is right in itself, but is not linked to the hash of the line before it. */
export function makeLinkError(line: EntryLine): Tampered {
  const { number, id: eventId } = line;
  const what = `The ${describeLine(line)} is not linked to the entry before it: entry ${number - 1} or entry ${number} was changed, and its hash was computed again.`;
  return new Tampered({ wrong: 'changed', number: Math.max(1, number - 1), upTo: number, eventId, what });
}
