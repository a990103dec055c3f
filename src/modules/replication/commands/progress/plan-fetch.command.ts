import { Command } from '@nestjs/cqrs';
import type { ChunkRange } from '../../../../kernel/runs.js';

/** What is left to do for a pending replica. */
export interface FetchPlan {
  readonly packageId: string;
  readonly filename: string;
  readonly size: number;
  readonly sha256: string;
  readonly chunkCount: number;
  /** Goes with what is reported of this plan's chunks. */
  readonly round: number;
  readonly verified: readonly ChunkRange[];
  /** Peers that should have the package, the one it was asked of first. */
  readonly holders: readonly PlannedHolder[];
}

export interface PlannedHolder {
  readonly peerId: string;
  /** False when it fetches the package itself. */
  readonly whole: boolean;
  /** Does its copy come through us? Then it hardly has what we lack. */
  readonly downstream: boolean;
}

/** What a worker needs to go on with a replica; null when it is not pending. Changes nothing. */
export class PlanFetch extends Command<FetchPlan | null> {
  constructor(readonly packageId: string) {
    super();
  }
}
