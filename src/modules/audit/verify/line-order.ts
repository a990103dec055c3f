import { hashEntry } from '../chain/chain-entry.js';
import { Tampered } from './problem.js';
import type { EntryLine } from './export-shapes.js';

const describeLine = ({ number, id, type }: EntryLine): string => `entry ${number}, event ${id} (${type}),`;

/** The hash of a line's entry, when it is what the line says. @throws Tampered */
export function requireOwnHash(line: EntryLine): string {
  const hash = hashEntry(line);
  if (hash === line.hash) return hash;
  const what = `In ${describeLine(line)} something was changed: its hash is ${hash}, the line has ${line.hash}.`;
  throw new Tampered({ wrong: 'changed', number: line.number, eventId: line.id, what });
}

/** @returns what to throw for a number that was there before */
export function makeRepeatedError(line: EntryLine): Tampered {
  const { number, id: eventId } = line;
  const what = `The ${describeLine(line)} has a number that was there before: it was inserted, or what it repeats was.`;
  return new Tampered({ wrong: 'inserted', number, eventId, what });
}

/** @returns what to throw for an entry behind a later one */
export function makeMovedBackError(line: EntryLine, before: EntryLine): Tampered {
  const { number, id: eventId } = line;
  const what = `The ${describeLine(line)} stands behind entry ${before.number}: the order was changed.`;
  return new Tampered({ wrong: 'reordered', number, eventId, what });
}

/** Another number than the next: `rest` are the numbers of the lines that follow. */
export async function explainWrongNumber(
  line: EntryLine,
  expected: number,
  rest: AsyncIterable<number>,
): Promise<Tampered> {
  const { number, id: eventId } = line;
  if (number < expected) return makeRepeatedError(line);
  for await (const later of rest) {
    if (later !== expected) continue;
    const what = `Entry ${expected} stands further on; in its place is ${describeLine(line)} so the order was changed.`;
    return new Tampered({ wrong: 'reordered', number: expected, eventId, what });
  }
  const what = `Entry ${expected} is missing${number > expected + 1 ? `, up to entry ${number - 1}` : ''}: after entry ${expected - 1} comes ${describeLine(line)} so it was removed.`;
  return new Tampered({ wrong: 'removed', number: expected, upTo: number - 1, eventId: null, what });
}

/** A line that is right in itself is linked to another hash than that of the line before. */
export function makeLinkError(line: EntryLine): Tampered {
  const { number, id: eventId } = line;
  const what = `The ${describeLine(line)} is linked to another entry than that before it: entry ${number - 1} was changed and given a hash of its own, or entry ${number} was.`;
  return new Tampered({ wrong: 'changed', number: Math.max(1, number - 1), upTo: number, eventId, what });
}
