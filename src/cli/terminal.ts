const WIDTH = 40;
const STEP = 0.1;

/** A progress bar that redraws itself on a terminal. Elsewhere it writes one line for each tenth. */
export class ProgressBar {
  private shown = -1;

  constructor(
    private readonly label: string,
    private readonly out: NodeJS.WriteStream = process.stderr,
  ) {}

  /** @param share 0 to 1 */
  show(share: number, note = ''): void {
    const line = `${this.label} [${'#'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '.')}] ${Math.floor(share * 100)} % ${note}`;
    if (this.out.isTTY) {
      this.out.write(`\r${line.padEnd(100)}${share >= 1 ? '\n' : ''}`);
    } else if (share >= 1 ? this.shown < 1 : share >= this.shown + STEP) {
      this.out.write(`${line}\n`);
    } else {
      return;
    }
    this.shown = share;
  }
}

/** Shows how much of something is done, as "done of total". */
export function showProgress(label: string): (done: number, total: number) => void {
  const bar = new ProgressBar(label);
  return (done, total) => bar.show(total === 0 ? 1 : Math.min(1, done / total), `${done} of ${total}`);
}

/** Writes a line to the standard error. Only results are written to the standard output. */
export const printLine = (line: string): boolean => process.stderr.write(`${line}\n`);
