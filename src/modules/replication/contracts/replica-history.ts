import type { Recorded } from '../../../kernel/event-family.js';
import type { StreamFold } from '../../../kernel/stream-fold.js';
import { replicaEvents, type ReplicaEvent } from './replica.events.js';

/** When what happened to our copy of a package. */
export interface ReplicaHistory {
  /** Since when it is withdrawn because of its stage; null when it is not, or its package was removed. */
  readonly withdrawnSince: Date | null;
  /** Where in the log it was requested last. */
  readonly requestedCursor: string | null;
}

function evolveHistory(history: ReplicaHistory, { type, data, record }: Recorded<ReplicaEvent>): ReplicaHistory {
  if (type === 'ReplicaWithdrawn')
    return { ...history, withdrawnSince: data.reason === 'stage' ? record.recordedAt : null };
  return type === 'ReplicaRequested' ? { withdrawnSince: null, requestedCursor: record.cursor } : history;
}

export const replicaHistory: StreamFold<ReplicaHistory, ReplicaEvent> = {
  category: 'replica',
  events: replicaEvents,
  initial: { withdrawnSince: null, requestedCursor: null },
  evolve: evolveHistory,
};
