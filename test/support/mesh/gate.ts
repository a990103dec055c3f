import { setImmediate } from 'node:timers/promises';

/** One run of a server's process: what it still had to do when it was killed never happens. */
export class Life {
  private end: () => void = () => undefined;
  readonly ended: Promise<void>;
  alive = true;

  constructor() {
    this.ended = new Promise((resolve) => (this.end = resolve));
  }

  kill(): void {
    this.alive = false;
    this.end();
  }
}

/** Numbers from 0 to below `count`; the same seed gives the same numbers (mulberry32). */
export function chooser(seed: number): (count: number) => number {
  let state = seed >>> 0;
  return (count) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * count);
  };
}

/** Whoever reads, writes or sends passes here, one at a time, in an order that the seed decides. */
export class Gate {
  private waiting: { readonly life: Life; readonly go: () => void }[] = [];

  constructor(readonly choose: (count: number) => number) {}

  pass(life: Life): Promise<void> {
    return new Promise((go) => this.waiting.push({ life, go }));
  }

  /** Lets up to `most` pass, and fewer when nobody waits any more. Gives how many it were. */
  async open(most: number): Promise<number> {
    for (let passed = 0; ; passed++) {
      // Whoever was let through comes to the next gate or to an end.
      await setImmediate();
      this.waiting = this.waiting.filter(({ life }) => life.alive);
      if (this.waiting.length === 0 || passed === most) return passed;
      const [picked] = this.waiting.splice(this.choose(this.waiting.length), 1);
      picked?.go();
    }
  }
}
