import { printLine, ProgressBar } from '../terminal.js';

export interface Verified {
  readonly events: number;
  /** Rows of all read models; null when neither log is in a PostgreSQL that could hold them. */
  readonly readModelRows: number | null;
}

/** The result of a copy, which is also written as the JSON line. */
export interface CopyResult {
  readonly from: string;
  readonly to: string;
  /** Events on the target; those of them that it had before; those that were copied now. */
  readonly events: number;
  readonly already: number;
  readonly copied: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** Rows of the schema `state`; null when that is not copied between these engines. */
  readonly stateRows: number | null;
  /** Null when it was not wanted. */
  readonly verified: Verified | null;
  /** Events that came to the source meanwhile and are not on the target. */
  readonly behind: number;
}

/** Writes the progress and the result of a copy to the standard error. */
export class CopyReport {
  printLine(line: string): void {
    printLine(line);
  }

  /** Shows a progress bar. The returned function moves it to the number of events that are on the target. */
  showProgress(already: number, total: number): (events: number) => void {
    const bar = new ProgressBar('Events');
    const startedAt = performance.now();
    return (events) => {
      const rate = (events - already) / Math.max(0.001, (performance.now() - startedAt) / 1000);
      const left = Math.max(0, total - events);
      const eta = left > 0 ? `, ${Math.ceil(left / Math.max(1, rate))} s left` : '';
      // A source that is in use can hold more events than were counted.
      bar.show(
        Math.min(1, events / Math.max(events, total)),
        `${events} of ${Math.max(events, total)}, ${Math.round(rate)}/s${eta}`,
      );
    };
  }

  printSummary({ copied, already, seconds, eventsPerSecond, stateRows, verified, behind }: CopyResult): void {
    const before = already > 0 ? `, ${already} were there before` : '';
    const state = stateRows === null ? '' : ` ${stateRows} rows of keys, passwords, sessions and feed cursors as well.`;
    printLine(
      `${copied} events were copied in ${seconds.toFixed(1)} s (${eventsPerSecond}/s)${before}.${state}${describeVerified(verified)}`,
    );
    if (behind > 0)
      printLine(
        `Warning: ${behind} events came to the source meanwhile. Stop the server there and run the same command again.`,
      );
  }
}

function describeVerified(verified: CopyResult['verified']): string {
  if (!verified) return ' Nothing was compared.';
  const rows = verified.readModelRows === null ? '' : ` and all ${verified.readModelRows} rows of the read models`;
  return ` All ${verified.events} events${rows} are the same.`;
}
