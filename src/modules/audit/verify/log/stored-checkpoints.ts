import type { DataSource } from 'typeorm';
import { readCheckpointsAfter } from '../../chain/store/checkpoint-table.js';
import type { ChainWalk } from '../chain-walk.js';
import { Tampered } from '../problem.js';

const PAGE_CHECKPOINTS = 200;

interface StoredCheckpoint {
  readonly sequence: number;
  readonly number: number;
  readonly checkpoint: unknown;
}

const readNumber = (checkpoint: unknown): number => {
  const number: unknown =
    typeof checkpoint === 'object' && checkpoint !== null ? Reflect.get(checkpoint, 'number') : null;
  return typeof number === 'number' ? number : 0;
};

/** The checkpoints of the database, each checked when the walk has come to its entry. */
export class StoredCheckpoints {
  private waiting: StoredCheckpoint[] = [];
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
  async verifyReached(): Promise<void> {
    for (let next = await this.peekNext(); next && next.number <= this.walk.number; next = await this.peekNext()) {
      this.walk.verifyCheckpoint(next.checkpoint);
      this.waiting.shift();
    }
  }

  /** @throws Tampered when there are some of entries that are not there */
  async checkEnd(): Promise<void> {
    const next = await this.peekNext();
    if (!next) return;
    const number = this.walk.number + 1;
    const what = `Checkpoint ${next.sequence} was signed over ${next.number} entries, and there are ${this.walk.number}: the tail is missing.`;
    throw new Tampered({ wrong: 'tail', number, upTo: next.number, eventId: null, what });
  }

  private async peekNext(): Promise<StoredCheckpoint | undefined> {
    if (this.waiting.length === 0) {
      const page = await readCheckpointsAfter(this.dataSource, this.read, PAGE_CHECKPOINTS);
      this.waiting = page
        .filter(({ sequence }) => sequence <= this.lastSequence)
        .map((stored) => ({ ...stored, number: readNumber(stored.checkpoint) }));
      this.read = page.at(-1)?.sequence ?? this.read;
    }
    return this.waiting[0];
  }
}
