/** The kind of a problem. `tail`: the end of the trail is missing. `shown`: the shown entry differs from the log. */
type Wrong =
  | 'changed'
  | 'removed'
  | 'inserted'
  | 'reordered'
  | 'signature'
  | 'checkpoint'
  | 'tail'
  | 'shown'
  | 'unreadable';

/** The first entry that was changed, and the kind of the change. */
export interface Problem {
  readonly wrong: Wrong;
  /** Number of the entry; when only checkpoints show the problem, the first entry that can be affected. */
  readonly number: number;
  /** The last entry that can be affected; usually the same as `number`. */
  readonly upTo: number;
  readonly eventId: string | null;
  readonly what: string;
}

/** Ends a verification, because nothing can be proved after the first problem. */
export class Tampered extends Error {
  readonly problem: Problem;

  constructor({ upTo, ...problem }: Omit<Problem, 'upTo'> & { readonly upTo?: number }) {
    super(problem.what);
    this.problem = { ...problem, upTo: upTo ?? problem.number };
  }
}

/** The first problem of each source. The verification of a source ends with its first problem. */
export class Problems {
  private readonly first = new Map<'log' | 'shown', Problem>();

  get isComplete(): boolean {
    return this.first.size === 2;
  }

  /** In the order of the entries. */
  get found(): readonly Problem[] {
    return [...this.first.values()].toSorted((a, b) => a.number - b.number);
  }

  /** Runs `work` and keeps its problem. Does nothing when this source already has one. */
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
