/** What is wrong with an entry. `tail`: the end is missing. `shown`: what is shown is not what the log says. */
export type Wrong =
  | 'changed'
  | 'removed'
  | 'inserted'
  | 'reordered'
  | 'signature'
  | 'checkpoint'
  | 'tail'
  | 'shown'
  | 'unreadable';

/** The first entry that is not as it was, and what is wrong with it. */
export interface Problem {
  readonly wrong: Wrong;
  /** Number of the entry; where only checkpoints tell, the first that may be meant. */
  readonly number: number;
  /** The last entry that may be meant; the same as `number` as a rule. */
  readonly upTo: number;
  readonly eventId: string | null;
  readonly what: string;
}

/** Ends a verification: behind the first problem nothing can be proved. */
export class Tampered extends Error {
  readonly problem: Problem;

  constructor({ upTo, ...problem }: Omit<Problem, 'upTo'> & { readonly upTo?: number }) {
    super(problem.what);
    this.problem = { ...problem, upTo: upTo ?? problem.number };
  }
}

/** The first problem of each kind of source: each is followed to its own first one. */
export class Problems {
  private readonly first = new Map<'log' | 'shown', Problem>();

  get isComplete(): boolean {
    return this.first.size === 2;
  }

  /** In the order of the entries. */
  get found(): readonly Problem[] {
    return [...this.first.values()].toSorted((a, b) => a.number - b.number);
  }

  /** Does nothing once there was one of that source. */
  async watch(source: 'log' | 'shown', work: () => Promise<void> | void): Promise<void> {
    if (this.first.has(source)) return;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Tampered)) throw error;
      this.first.set(source, error.problem);
    }
  }
}
