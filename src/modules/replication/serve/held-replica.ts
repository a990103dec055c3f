import { addRange, type ChunkRange, removeRange } from '../../../kernel/chunk-ranges.js';
import type { StreamFold } from '../../../kernel/decider.js';
import type { Recorded, RecordedEvent } from '../../../kernel/events.js';
import { extendLineage, type Lineage, type ReplicaEvent, replicaEvents } from '../contracts/replica.events.js';

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
  readonly lineages: ReadonlyMap<string, Lineage>;
  /** Id of the report by which a step of our way that was still fetching when we published got its time, null without one. */
  readonly completedBy: string | null;
  /** Cursor of the last event that began, completed or ended our copy. */
  readonly changedAt: string | null;
}

const withEntry = <V>(map: ReadonlyMap<string, V>, key: string, value: V): ReadonlyMap<string, V> =>
  new Map(map).set(key, value);

/** Nothing came at all: it is an empty package, or the file of the copy before. */
function deliveredFor({ delivered, before }: HeldReplica): ReadonlyMap<string, number> {
  const cameNow = [...delivered.values()].some((count) => count > 0);
  return cameNow || before.size === 0 ? delivered : before;
}

const toPublished = (held: HeldReplica, { recordedAt, cursor }: RecordedEvent): HeldReplica => ({
  ...held,
  verifiedAt: recordedAt.toISOString(),
  fetching: false,
  delivered: deliveredFor(held),
  changedAt: cursor,
});

function evolveHeld(held: HeldReplica, event: Recorded<ReplicaEvent>): HeldReplica {
  switch (event.type) {
    case 'ReplicaRequested': {
      const delivered = new Map([[event.data.fromPeerId, 0]]);
      return {
        ...held,
        verifiedAt: null,
        fetching: true,
        completedBy: null,
        delivered,
        before: held.delivered,
        changedAt: event.record.cursor,
      };
    }
    case 'ChunksVerified': {
      const { fromPeerId, count } = event.data;
      return {
        ...held,
        delivered: withEntry(held.delivered, fromPeerId, (held.delivered.get(fromPeerId) ?? 0) + count),
      };
    }
    case 'ReplicaDamaged':
      return { ...held, verifiedAt: null, fetching: true, changedAt: event.record.cursor };
    case 'ReplicaPublished':
      return toPublished(held, event.record);
    case 'ReplicaWithdrawn':
      return { ...held, verifiedAt: null, fetching: false, changedAt: event.record.cursor };
    case 'ReplicaReported': {
      const { peerId, peerName, verifiedAt, lineage } = event.data;
      const way = extendLineage(lineage, { serverId: peerId, name: peerName, verifiedAt });
      return noteCompletion(held, { ...held, lineages: withEntry(held.lineages, peerId, way) }, event.record.id);
    }
    default:
      return held;
  }
}

const isComplete = (held: HeldReplica): boolean => lineageOf(held).every(({ verifiedAt }) => verifiedAt !== null);

function noteCompletion(before: HeldReplica, after: HeldReplica, reportId: string): HeldReplica {
  const isNews = after.verifiedAt !== null && !isComplete(before) && isComplete(after);
  return isNews ? { ...after, completedBy: reportId } : after;
}

export const heldReplica: StreamFold<HeldReplica, ReplicaEvent> = {
  category: 'replica',
  events: replicaEvents,
  initial: {
    verifiedAt: null,
    fetching: false,
    delivered: new Map(),
    before: new Map(),
    lineages: new Map(),
    completedBy: null,
    changedAt: null,
  },
  evolve: evolveHeld,
};

/** The peer that most of it came from. */
function mainSource({ delivered }: HeldReplica): string | null {
  const [first] = [...delivered].toSorted(([, a], [, b]) => b - a);
  return first?.[0] ?? null;
}

/** Through whom it came here; nothing for what was uploaded here. */
export function lineageOf(held: HeldReplica): Lineage {
  const source = mainSource(held);
  return source === null ? [] : (held.lineages.get(source) ?? []);
}

/** Which chunks of a copy that is being fetched are in its staged file, verified. */
export interface StagedChunks {
  /** `published` from the moment on when the staged file has become the package's. */
  readonly status: 'none' | 'pending' | 'published';
  /** Counts requests and losses: the file of another round is another file, or has lost chunks. */
  readonly round: number;
  /** Sorted and disjoint. */
  readonly verified: readonly ChunkRange[];
}

const withoutRanges = (runs: readonly ChunkRange[], lost: readonly ChunkRange[]): readonly ChunkRange[] =>
  lost.reduce<readonly ChunkRange[]>(removeRange, runs);

function evolveStaged(staged: StagedChunks, event: Recorded<ReplicaEvent>): StagedChunks {
  switch (event.type) {
    case 'ReplicaRequested':
      return { status: 'pending', round: staged.round + 1, verified: event.data.keepsChunks ? staged.verified : [] };
    case 'ReplicaDamaged':
      return {
        status: 'pending',
        round: staged.round + 1,
        verified: withoutRanges([{ first: 0, count: event.data.chunkCount }], event.data.runs),
      };
    case 'ChunksVerified':
      return { ...staged, verified: addRange(staged.verified, event.data) };
    case 'ChunksLost':
      return { ...staged, round: staged.round + 1, verified: withoutRanges(staged.verified, event.data.runs) };
    case 'ReplicaPublished':
      return { ...staged, status: 'published' };
    case 'ReplicaFailed':
      return { ...staged, status: 'none' };
    case 'ReplicaWithdrawn':
      return { ...staged, status: 'none', verified: [] };
    default:
      return staged;
  }
}

export const stagedChunks: StreamFold<StagedChunks, ReplicaEvent> = {
  category: 'replica',
  events: replicaEvents,
  initial: { status: 'none', round: 0, verified: [] },
  evolve: evolveStaged,
};
