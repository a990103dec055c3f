import { Refusal } from '../../kernel/errors.js';

/** Number of characters to insert, delete or replace to make one text of another (Levenshtein), in any letter case. */
function distanceBetween(a: string, b: string): number {
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let row = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

const MAX_SUGGESTIONS = 3;
/** Longer texts are not compared. */
const MAX_COMPARED = 100;

/** The known names that are most like a name, the nearest first. */
export function nearestNames(name: string, known: readonly string[]): readonly string[] {
  return known
    .map((one) => ({ one, distance: distanceBetween(name.slice(0, MAX_COMPARED), one) }))
    .toSorted((a, b) => a.distance - b.distance || (a.one < b.one ? -1 : 1))
    .slice(0, MAX_SUGGESTIONS)
    .map(({ one }) => one);
}

/**
 * Checks names that select something. Without this, a misspelt name would select nothing, as if there were nothing.
 * @throws Refusal INVALID_REQUEST with the nearest names
 */
export function requireKnownNames(argument: string, names: readonly string[], known: readonly string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const shown = JSON.stringify(unknown.slice(0, MAX_COMPARED));
  throw new Refusal(
    'INVALID_REQUEST',
    `\`${argument}\` contains ${shown}, which does not exist. The nearest names are ${nearestNames(unknown, known).join(', ')}.`,
    { argument },
  );
}
