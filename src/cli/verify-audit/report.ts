import type { Problem } from '../../modules/audit/verify/problem.js';
import { ProgressBar } from '../terminal.js';

export const say = (line: string): boolean => process.stderr.write(`${line}\n`);

/** The result of a verification of a server or an export. */
export interface Outcome {
  readonly problems: readonly Problem[];
  readonly entries: number;
  readonly checkpoints: number;
  /** Further remarks, one line each. */
  readonly notes: readonly string[];
}

/** Shows a progress bar. */
export function showProgress(what: string): (done: number, total: number) => void {
  const bar = new ProgressBar(what);
  return (done, total) => bar.show(total === 0 ? 1 : Math.min(1, done / total), `${done} of ${total}`);
}

const describePlace = ({ number, upTo }: Problem): string => (upTo > number ? `${number} to ${upTo}` : String(number));

/** The exit code. */
export function reportOutcome({ problems, entries, checkpoints, notes }: Outcome, json: boolean): number {
  for (const note of notes) say(note);
  const first = problems[0];
  for (const problem of problems) say(`PROBLEM (${problem.wrong}) at entry ${describePlace(problem)}: ${problem.what}`);
  if (!first) say(`OK: ${entries} entries and ${checkpoints} checkpoints are as they were recorded.`);
  if (json) process.stdout.write(`${JSON.stringify({ ok: !first, entries, checkpoints, problems, notes })}\n`);
  return first ? 1 : 0;
}
