import { Command } from '@nestjs/cqrs';
import type { Run } from '../../../../kernel/runs.js';

/** What is left to do for a pending replica. */
export interface FetchPlan {
  readonly packageId: string;
  readonly filename: string;
  readonly size: number;
  readonly sha256: string;
  readonly chunkCount: number;
  /** Goes with what is reported of this plan's chunks. */
  readonly round: number;
  readonly verified: readonly Run[];
  /** Peers that should have the package, the one it was asked of first; one that is not `whole` fetches it itself. */
  readonly holders: readonly { readonly peerId: string; readonly whole: boolean }[];
}

/** What a worker needs to go on with a replica; null when it is not pending. Changes nothing. */
export class PlanFetch extends Command<FetchPlan | null> {
  constructor(readonly packageId: string) {
    super();
  }
}
