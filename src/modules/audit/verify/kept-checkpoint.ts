import type { Checkpoint } from '../chain/checkpoint.js';
import { requireSignature, type ChainWalk } from './chain-walk.js';
import { Tampered } from './problem.js';

/** A checkpoint that was kept elsewhere: what nobody could change shows what was cut off or written anew here. */
export class KeptCheckpoint {
  private met = false;

  constructor(
    private readonly kept: Checkpoint | null,
    private readonly walk: ChainWalk,
  ) {
    if (kept && walk.number >= kept.number) this.met = true;
  }

  /** To be called after each entry. @throws Tampered */
  checkReached(): void {
    const { kept, walk } = this;
    if (!kept || this.met || walk.number !== kept.number) return;
    requireSignature(kept);
    if (walk.hash !== kept.hash) {
      const what = `The trail up to entry ${kept.number} is another than the checkpoint that was kept (${kept.sequence}, of ${kept.at}) says: it was written anew since.`;
      throw new Tampered({ wrong: 'changed', number: 1, upTo: kept.number, eventId: null, what });
    }
    this.met = true;
  }

  /** @throws Tampered when the trail ends before it */
  checkEnd(): void {
    const { kept, walk } = this;
    if (!kept || this.met) return;
    const what = `The checkpoint that was kept (${kept.sequence}, of ${kept.at}) covers ${kept.number} entries, and there are ${walk.number}: the tail is missing.`;
    throw new Tampered({ wrong: 'tail', number: walk.number + 1, upTo: kept.number, eventId: null, what });
  }
}
