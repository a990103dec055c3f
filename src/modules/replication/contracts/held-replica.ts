import type { StreamFold } from '../../../kernel/stream-fold.js';
import type { Recorded } from '../../../kernel/event-family.js';
import { lineageThrough, type Lineage } from './lineage.js';
import { replicaEvents, type ReplicaEvent } from './replica.events.js';

/** This server's copy of a package, as its peers are told of it. */
export interface HeldReplica {
  /** Since when it is whole and served: ISO 8601, null when it is not. */
  readonly verifiedAt: string | null;
  /** Is it being fetched, so that its verified chunks can be had? */
  readonly fetching: boolean;
  /** Chunks that came from each peer since it was requested; one that was only asked has none. */
  readonly delivered: ReadonlyMap<string, number>;
  /** The same of the copy before: when its file was taken back, nothing came from anybody. */
  readonly before: ReadonlyMap<string, number>;
  /** The way to each peer that has a copy, and that peer itself. */
  readonly ways: ReadonlyMap<string, Lineage>;
}

const put = <V>(map: ReadonlyMap<string, V>, key: string, value: V): ReadonlyMap<string, V> => new Map(map).set(key, value);

/** Nothing came at all: it is an empty package, or the file of the copy before. */
function deliveredFor({ delivered, before }: HeldReplica): ReadonlyMap<string, number> {
  const cameNow = [...delivered.values()].some((count) => count > 0);
  return cameNow || before.size === 0 ? delivered : before;
}

function evolve(held: HeldReplica, event: Recorded<ReplicaEvent>): HeldReplica {
  switch (event.type) {
    case 'ReplicaRequested':
      return { ...held, verifiedAt: null, fetching: true, delivered: new Map([[event.data.fromPeerId, 0]]), before: held.delivered };
    case 'ChunksVerified': {
      const { fromPeerId, count } = event.data;
      return { ...held, delivered: put(held.delivered, fromPeerId, (held.delivered.get(fromPeerId) ?? 0) + count) };
    }
    case 'ReplicaDamaged':
      return { ...held, verifiedAt: null, fetching: true };
    case 'ReplicaPublished':
      return { ...held, verifiedAt: event.record.recordedAt.toISOString(), fetching: false, delivered: deliveredFor(held) };
    case 'ReplicaWithdrawn':
      return { ...held, verifiedAt: null, fetching: false };
    case 'ReplicaReported': {
      const { peerId, peerName, verifiedAt, lineage } = event.data;
      return { ...held, ways: put(held.ways, peerId, lineageThrough(lineage, { serverId: peerId, name: peerName, verifiedAt })) };
    }
    default:
      return held;
  }
}

export const heldReplica: StreamFold<HeldReplica, ReplicaEvent> = {
  category: 'replica',
  events: replicaEvents,
  initial: { verifiedAt: null, fetching: false, delivered: new Map(), before: new Map(), ways: new Map() },
  evolve,
};

/** The peer that most of it came from. */
export function mainSource({ delivered }: HeldReplica): string | null {
  const [first] = [...delivered].toSorted(([, a], [, b]) => b - a);
  return first?.[0] ?? null;
}

/** Through whom it came here; nothing for what was uploaded here. */
export function lineageOf(held: HeldReplica): Lineage {
  const source = mainSource(held);
  return source === null ? [] : (held.ways.get(source) ?? []);
}
