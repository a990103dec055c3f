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
