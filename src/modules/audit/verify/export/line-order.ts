import { entryHash } from '../../chain/chain-entry.js';
import { Tampered } from '../problem.js';
import type { EntryLine } from './export-shapes.js';

const name = ({ number, id, type }: EntryLine): string => `entry ${number}, event ${id} (${type}),`;

/** The hash of a line's entry, when it is what the line says. @throws Tampered */
export function ownHash(line: EntryLine): string {
  const hash = entryHash(line);
  if (hash === line.hash) return hash;
  const what = `In ${name(line)} something was changed: its hash is ${hash}, the line has ${line.hash}.`;
  throw new Tampered({ wrong: 'changed', number: line.number, eventId: line.id, what });
}

/** @returns what to throw for a number that was there before */
export function repeated(line: EntryLine): Tampered {
  const { number, id: eventId } = line;
  const what = `The ${name(line)} has a number that was there before: it was inserted, or what it repeats was.`;
  return new Tampered({ wrong: 'inserted', number, eventId, what });
}

/** @returns what to throw for an entry behind a later one */
export function movedBack(line: EntryLine, before: EntryLine): Tampered {
  const { number, id: eventId } = line;
  const what = `The ${name(line)} stands behind entry ${before.number}: the order was changed.`;
  return new Tampered({ wrong: 'reordered', number, eventId, what });
}

/** Another number than the next: `rest` are the numbers of the lines that follow. */
export async function outOfOrder(line: EntryLine, expected: number, rest: AsyncIterable<number>): Promise<Tampered> {
  const { number, id: eventId } = line;
  if (number < expected) return repeated(line);
  for await (const later of rest) {
    if (later !== expected) continue;
    const what = `Entry ${expected} stands further on; in its place is ${name(line)} so the order was changed.`;
    return new Tampered({ wrong: 'reordered', number: expected, eventId, what });
  }
  const what = `Entry ${expected} is missing${number > expected + 1 ? `, up to entry ${number - 1}` : ''}: after entry ${expected - 1} comes ${name(line)} so it was removed.`;
  return new Tampered({ wrong: 'removed', number: expected, upTo: number - 1, eventId: null, what });
}

/** A line that is right in itself is linked to another hash than that of the line before. */
export function wronglyLinked(line: EntryLine): Tampered {
  const { number, id: eventId } = line;
  const what = `The ${name(line)} is linked to another entry than that before it: entry ${number - 1} was changed and given a hash of its own, or entry ${number} was.`;
  return new Tampered({ wrong: 'changed', number: Math.max(1, number - 1), upTo: number, eventId, what });
}
