import type { Recorded } from '../../../kernel/event-family.js';
import type { StreamFold } from '../../../kernel/stream-fold.js';
import { replicaEvents, type ReplicaEvent } from './replica.events.js';

/** Since when our copy is withdrawn because of its stage; null when it is not, or its package was removed. */
export interface WithdrawnReplica {
  readonly since: Date | null;
}

function evolve(withdrawn: WithdrawnReplica, event: Recorded<ReplicaEvent>): WithdrawnReplica {
  if (event.type === 'ReplicaWithdrawn') return { since: event.data.reason === 'stage' ? event.record.recordedAt : null };
  return event.type === 'ReplicaRequested' ? { since: null } : withdrawn;
}

export const withdrawnReplica: StreamFold<WithdrawnReplica, ReplicaEvent> = {
  category: 'replica',
  events: replicaEvents,
  initial: { since: null },
  evolve,
};
