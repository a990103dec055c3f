/** Limits how many pieces of work run at the same time, and how many wait for their turn. */
export class Gate {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly maxRunning: number,
    private readonly maxWaiting: number,
  ) {}

  /**
   * Runs `work` as soon as fewer than `maxRunning` pieces of work are running, in the order of the calls.
   * @throws the error that `whenFull` creates, when `maxWaiting` calls wait already; otherwise what `work` throws
   */
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

  /** Passes the turn to the call that has waited longest, or frees it when no call waits. */
  private passTurn(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.running -= 1;
  }
}
