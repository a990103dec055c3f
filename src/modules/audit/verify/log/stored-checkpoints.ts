import type { DataSource } from 'typeorm';
import { readCheckpointsAfter } from '../../chain/store/checkpoint-table.js';
import type { ChainWalk } from '../chain-walk.js';
import { Tampered } from '../problem.js';

const PAGE = 200;

interface Stored {
  readonly sequence: number;
  readonly number: number;
  readonly checkpoint: unknown;
}

const numberOf = (checkpoint: unknown): number => {
  const number: unknown =
    typeof checkpoint === 'object' && checkpoint !== null ? Reflect.get(checkpoint, 'number') : null;
  return typeof number === 'number' ? number : 0;
};

/** The checkpoints of the database, each checked when the walk has come to its entry. */
export class StoredCheckpoints {
  private waiting: Stored[] = [];
  private read: number;

  constructor(
    private readonly dataSource: DataSource,
    private readonly walk: ChainWalk,
    /** The last one that there was at the beginning; a running server adds more. */
    private readonly lastSequence: number,
  ) {
    this.read = walk.last?.sequence ?? 0;
  }

  /** @throws Tampered */
  async reach(): Promise<void> {
    for (let next = await this.peek(); next && next.number <= this.walk.number; next = await this.peek()) {
      this.walk.checkpoint(next.checkpoint);
      this.waiting.shift();
    }
  }

  /** @throws Tampered when there are some of entries that are not there */
  async end(): Promise<void> {
    const next = await this.peek();
    if (!next) return;
    const number = this.walk.number + 1;
    const what = `Checkpoint ${next.sequence} was signed over ${next.number} entries, and there are ${this.walk.number}: the tail is missing.`;
    throw new Tampered({ wrong: 'tail', number, upTo: next.number, eventId: null, what });
  }

  private async peek(): Promise<Stored | undefined> {
    if (this.waiting.length === 0) {
      const page = await readCheckpointsAfter(this.dataSource, this.read, PAGE);
      this.waiting = page
        .filter(({ sequence }) => sequence <= this.lastSequence)
        .map((stored) => ({ ...stored, number: numberOf(stored.checkpoint) }));
      this.read = page.at(-1)?.sequence ?? this.read;
    }
    return this.waiting[0];
  }
}
