import { Query } from '@nestjs/cqrs';
import type { Checkpoint } from '../../contracts/checkpoint.js';

/** How far the chain is, and how much of it is signed. */
export interface AuditChainView {
  /** Events that are linked; the number of the last one. */
  readonly entries: number;
  /** Hash of the last entry, lower-case hex. */
  readonly hash: string;
  /** Entries after the last checkpoint. */
  readonly unsigned: number;
  /** Events of the log that are not linked yet: more than a few seconds' worth means that the chain has stopped. */
  readonly isUpToDate: boolean;
  readonly lastCheckpoint: Checkpoint | null;
}

export class AuditChainQuery extends Query<AuditChainView> {}

/** The newest first; from before the one with that sequence on. */
export class AuditCheckpointsQuery extends Query<readonly Checkpoint[]> {
  constructor(
    readonly first: number,
    readonly before: number | null,
  ) {
    super();
  }
}
