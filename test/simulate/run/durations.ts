/** Other changes so soon after one belong to it: what it took alone cannot be told. */
const TOGETHER_S = 30;

/** Seconds in ascending order. */
export interface Spread {
  readonly count: number;
  readonly median: number;
  readonly p99: number;
  readonly most: number;
}

/** How long it takes until nothing changes any more: after an upload, after a change, after a return of cut-off servers. */
export class Durations {
  private readonly taken = { upload: [] as number[], change: [] as number[], catchUp: [] as number[] };
  private kind: keyof Durations['taken'] | null = null;
  private since = 0;

  /** Something begins now (the number of a change, or 0 for a return); `changedAt` is when something changed last before. */
  begin(at: number, number: number, changedAt: number): void {
    if (number === 0 && this.kind === 'catchUp') return;
    this.end(at, changedAt);
    this.kind = number === 0 ? 'catchUp' : number === 1 ? 'upload' : 'change';
    this.since = at;
  }

  /** The package is at rest, or something else begins. */
  end(at: number, changedAt: number): void {
    const hasChanged = changedAt >= this.since;
    if (this.kind && hasChanged && at - this.since > TOGETHER_S) this.taken[this.kind].push(changedAt - this.since);
    this.kind = null;
  }

  spreads(): Readonly<Record<'upload' | 'change' | 'catchUp', Spread>> {
    return {
      upload: spreadOf(this.taken.upload),
      change: spreadOf(this.taken.change),
      catchUp: spreadOf(this.taken.catchUp),
    };
  }
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = Float64Array.from(values).sort();
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return { count: sorted.length, median: at(0.5), p99: at(0.99), most: at(1) };
}
