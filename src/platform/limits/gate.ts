/** Lets a few pieces of work run at once and a bounded number wait. */
export class Gate {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly maxRunning: number,
    private readonly maxWaiting: number,
  ) {}

  /** @throws what `whenFull` makes when too many wait already, or the work's own error */
  async run<T>(work: () => Promise<T>, whenFull: () => Error): Promise<T> {
    if (this.running < this.maxRunning) this.running += 1;
    else await this.waitForTurn(whenFull);
    try {
      return await work();
    } finally {
      this.passTurn();
    }
  }

  private waitForTurn(whenFull: () => Error): Promise<void> {
    if (this.waiting.length >= this.maxWaiting) throw whenFull();
    return new Promise((resolve) => {
      this.waiting.push(resolve);
    });
  }

  /** The place is handed over to who waits longest. */
  private passTurn(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.running -= 1;
  }
}
