import type { StreamFold } from '../../../kernel/stream-fold.js';
import { replicaEvents, type ReplicaEvent } from './replica.events.js';

/** Whether this server's copy of a package is whole and served. */
export interface HeldReplica {
  /** ISO 8601, null when it is not. */
  readonly verifiedAt: string | null;
}

export const heldReplica: StreamFold<HeldReplica, ReplicaEvent> = {
  category: 'replica',
  events: replicaEvents,
  initial: { verifiedAt: null },
  evolve: (held, event) => {
    if (event.type === 'ReplicaPublished') return { verifiedAt: event.record.recordedAt.toISOString() };
    if (event.type === 'ReplicaWithdrawn' || event.type === 'ReplicaRequested') return { verifiedAt: null };
    return held;
  },
};
