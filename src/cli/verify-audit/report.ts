import type { Problem } from '../../modules/audit/verify/problem.js';
import { printLine } from '../terminal.js';

/** The result of a verification of a server or an export. */
export interface Outcome {
  readonly problems: readonly Problem[];
  readonly entries: number;
  readonly checkpoints: number;
  /** Further remarks, one line each. */
  readonly notes: readonly string[];
}

const describePlace = ({ number, upTo }: Problem): string => (upTo > number ? `${number} to ${upTo}` : String(number));

/** Writes the outcome, also as JSON when `json` is set, and returns the exit code. */
export function reportOutcome({ problems, entries, checkpoints, notes }: Outcome, json: boolean): number {
  for (const note of notes) printLine(note);
  const first = problems[0];
  for (const problem of problems)
    printLine(`PROBLEM (${problem.wrong}) at entry ${describePlace(problem)}: ${problem.what}`);
  if (!first) printLine(`OK: ${entries} entries and ${checkpoints} checkpoints are as they were recorded.`);
  if (json) process.stdout.write(`${JSON.stringify({ ok: !first, entries, checkpoints, problems, notes })}\n`);
  return first ? 1 : 0;
}
