import { verifyEd25519 } from '../../../platform/peer-calls/ed25519.js';
import { GENESIS } from '../chain/chain-entry.js';
import { type Checkpoint, checkpointBytes, CheckpointShape, digestCheckpoint } from '../chain/checkpoint.js';
import type { KeyHistory } from './key-history.js';
import { Tampered } from './problem.js';

/** The place where a verification begins: the first entry, or the entry after a trusted checkpoint. */
export interface Start {
  readonly number: number;
  readonly hash: string;
  readonly checkpoint: Checkpoint | null;
}

/** @throws Tampered */
export function requireSignature(checkpoint: Checkpoint): void {
  if (verifyEd25519(checkpoint.key, checkpointBytes(checkpoint), Buffer.from(checkpoint.signature, 'base64url')))
    return;
  const what = `The signature of checkpoint ${checkpoint.sequence} does not match its key: the checkpoint was changed.`;
  throw new Tampered({ wrong: 'signature', number: checkpoint.number, eventId: null, what });
}

export const BEGINNING: Start = { number: 0, hash: GENESIS, checkpoint: null };

/** The part of a chain that has been verified so far, with its checkpoints. */
export class ChainWalk {
  number: number;
  hash: string;
  checkpoints = 0;
  last: Checkpoint | null;
  private readonly signed = new Map<string, Checkpoint>();

  constructor(
    start: Start,
    private readonly keys: KeyHistory,
  ) {
    this.number = start.number;
    this.hash = start.hash;
    this.last = start.checkpoint;
  }

  /** Moves on to the next entry, which has this hash. */
  advance(hash: string): void {
    this.number += 1;
    this.hash = hash;
  }

  /** Verifies a stored checkpoint of the current entry. @throws Tampered */
  verifyCheckpoint(stored: unknown): void {
    const parsed = CheckpointShape.safeParse(stored);
    if (!parsed.success)
      throw this.makeError('checkpoint', `The checkpoint of entry ${this.number} can't be read: it was changed.`);
    const checkpoint = parsed.data;
    const name = `Checkpoint ${checkpoint.sequence}`;
    requireSignature(checkpoint);
    const expected = (this.last?.sequence ?? 0) + 1;
    if (checkpoint.sequence !== expected || checkpoint.previous !== digestCheckpoint(this.last)) {
      throw this.makeError(
        'checkpoint',
        `${name} does not follow checkpoint ${expected - 1}: a checkpoint was removed, or replaced by another one.`,
      );
    }
    if (checkpoint.number !== this.number || checkpoint.hash !== this.hash) throw this.makeRewrittenError(checkpoint);
    if (!this.signed.has(checkpoint.key)) this.signed.set(checkpoint.key, checkpoint);
    this.last = checkpoint;
    this.checkpoints += 1;
  }

  /** Verifies the keys of all checkpoints, which is possible when the whole chain was read. @throws Tampered */
  checkKeys(): void {
    for (const [key, { sequence, number }] of this.signed) {
      if (this.keys.trusts(key)) continue;
      const what = `Checkpoint ${sequence} is signed with the key ${key}, which is not known to be this server's. Either somebody else has signed it, or this is the trail of another server.`;
      throw new Tampered({ wrong: 'signature', number, eventId: null, what });
    }
  }

  /** The error for entries and a chain that fit each other but not the signed checkpoint: both were written again. */
  private makeRewrittenError({ sequence, number }: Checkpoint): Tampered {
    const from = (this.last?.number ?? 0) + 1;
    const what = `Checkpoint ${sequence} was signed for a different history: some of the entries ${from} to ${number} were changed, removed or inserted, and the chain was computed again.`;
    return new Tampered({ wrong: 'changed', number: from, upTo: number, eventId: null, what });
  }

  private makeError(wrong: 'checkpoint', what: string): Tampered {
    return new Tampered({ wrong, number: this.number, eventId: null, what });
  }
}

/** A checkpoint that was kept outside the server. It shows whether the trail was cut off or written again since. */
export class KeptCheckpoint {
  private met = false;

  constructor(
    private readonly kept: Checkpoint | null,
    private readonly walk: ChainWalk,
  ) {
    if (kept && walk.number >= kept.number) this.met = true;
  }

  /** The caller calls this after each entry. @throws Tampered */
  checkReached(): void {
    const { kept, walk } = this;
    if (!kept || this.met || walk.number !== kept.number) return;
    requireSignature(kept);
    if (walk.hash !== kept.hash) {
      const what = `The trail up to entry ${kept.number} does not match the checkpoint that was kept (${kept.sequence}, of ${kept.at}): it was rewritten after that checkpoint.`;
      throw new Tampered({ wrong: 'changed', number: 1, upTo: kept.number, eventId: null, what });
    }
    this.met = true;
  }

  /** @throws Tampered when the trail ends before it */
  checkEnd(): void {
    const { kept, walk } = this;
    if (!kept || this.met) return;
    const what = `The checkpoint that was kept (${kept.sequence}, of ${kept.at}) covers ${kept.number} entries, but the trail has only ${walk.number}: its end is missing.`;
    throw new Tampered({ wrong: 'tail', number: walk.number + 1, upTo: kept.number, eventId: null, what });
  }
}
