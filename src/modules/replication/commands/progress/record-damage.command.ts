import { Command } from '@nestjs/cqrs';
import type { ChunkRange } from '../../../../kernel/runs.js';

/** What the last check of a staged file found instead of the package. */
export interface Damage {
  readonly packageId: string;
  readonly round: number;
  /** SHA-256 of the whole file, in lower-case hex. */
  readonly actual: string;
  /** Chunks that are not, or no longer, what was verified. */
  readonly lost: readonly ChunkRange[];
}

/**
 * Record that all chunks of a replica were verified and its file is not the package. Lost chunks are fetched again,
 * once a request; otherwise the replica fails. Gives whether it has failed now.
 */
export class RecordDamage extends Command<boolean> {
  constructor(readonly damage: Damage) {
    super();
  }
}
