import type { StreamFold } from '../../../kernel/decider.js';
import type { Recorded } from '../../../kernel/events.js';
import { type Lineage, lineageTo, type ReplicaEvent, replicaEvents } from '../contracts/replica.events.js';
import { evolveReplica, noReplica, type ReplicaState } from './replica.state.js';

/** This server's copy of a package: what its decider knows, and what only the records of the log tell. */
export interface OurReplica {
  readonly state: ReplicaState;
  /** Cursor of the last request; null when it was never requested. */
  readonly requestedCursor: string | null;
  /** Cursor of the last event that began, completed or ended the copy. */
  readonly changedCursor: string | null;
  /** Since when it is whole and served: ISO 8601, null when it is not. */
  readonly verifiedAt: string | null;
  /** Since when it is withdrawn because of its stage; null when it is not, or when its package was removed. */
  readonly withdrawnSince: Date | null;
  /** Chunks that each peer has delivered since the last request; 0 for a peer that was only asked. */
  readonly delivered: ReadonlyMap<string, number>;
  /** The same for the copy before, which counts when its file was adopted and no peer delivered anything. */
  readonly deliveredBefore: ReadonlyMap<string, number>;
  /** For each peer that ever reported a copy: the servers that its copy came through, with the peer itself at the end. */
  readonly lineages: ReadonlyMap<string, Lineage>;
  /**
   * Id of the report that completed our lineage: when we published, a server on it was still fetching, and this report
   * brought its time. Null when there was no such report.
   */
  readonly completedBy: string | null;
}

/** A copy that was requested and is not whole. It may have failed, and its verified chunks are kept for a retry. */
export const isUnderWay = ({ status }: Pick<ReplicaState, 'status'>): boolean =>
  status === 'pending' || status === 'failed';

/** The servers that the copy came through to reach us; none for a package that was uploaded here. */
export function lineageOf(replica: OurReplica): Lineage {
  const [main] = [...replica.delivered].toSorted(([, a], [, b]) => b - a);
  return main === undefined ? [] : (replica.lineages.get(main[0]) ?? []);
}

/** Nobody delivered anything: the package is empty, or the file of the copy before was adopted. */
function deliveredInAll({ delivered, deliveredBefore }: OurReplica): ReadonlyMap<string, number> {
  const hasArrived = [...delivered.values()].some((count) => count > 0);
  return hasArrived || deliveredBefore.size === 0 ? delivered : deliveredBefore;
}

const isComplete = (lineage: Lineage): boolean => lineage.every(({ verifiedAt }) => verifiedAt !== null);

function noteCompletion(before: OurReplica, after: OurReplica, reportId: string): OurReplica {
  const isNews = after.verifiedAt !== null && !isComplete(lineageOf(before)) && isComplete(lineageOf(after));
  return isNews ? { ...after, completedBy: reportId } : after;
}

function evolveRecord(before: OurReplica, event: Recorded<ReplicaEvent>): OurReplica {
  const replica = { ...before, state: evolveReplica(before.state, event) };
  const { cursor, recordedAt, id } = event.record;
  switch (event.type) {
    case 'ReplicaRequested':
      return {
        ...replica,
        requestedCursor: cursor,
        changedCursor: cursor,
        verifiedAt: null,
        withdrawnSince: null,
        completedBy: null,
        delivered: new Map([[event.data.fromPeerId, 0]]),
        deliveredBefore: before.delivered,
      };
    case 'ChunksVerified': {
      const { fromPeerId, count } = event.data;
      const delivered = new Map(before.delivered).set(fromPeerId, (before.delivered.get(fromPeerId) ?? 0) + count);
      return { ...replica, delivered };
    }
    case 'ReplicaDamaged':
      return { ...replica, changedCursor: cursor, verifiedAt: null, withdrawnSince: null };
    case 'ReplicaPublished':
      return {
        ...replica,
        changedCursor: cursor,
        verifiedAt: recordedAt.toISOString(),
        delivered: deliveredInAll(before),
      };
    case 'ReplicaWithdrawn': {
      const withdrawnSince = event.data.reason === 'stage' ? recordedAt : null;
      return { ...replica, changedCursor: cursor, verifiedAt: null, withdrawnSince };
    }
    case 'ReplicaReported': {
      const lineages = new Map(before.lineages).set(event.data.peerId, lineageTo(event.data));
      return noteCompletion(before, { ...replica, lineages }, id);
    }
    default:
      return replica;
  }
}

/** Folds the stream `replica-<packageId>` together with the places and times of its records. */
export const ourReplica: StreamFold<OurReplica, ReplicaEvent> = {
  category: 'replica',
  events: replicaEvents,
  initial: {
    state: noReplica,
    requestedCursor: null,
    changedCursor: null,
    verifiedAt: null,
    withdrawnSince: null,
    delivered: new Map(),
    deliveredBefore: new Map(),
    lineages: new Map(),
    completedBy: null,
  },
  evolve: evolveRecord,
};
