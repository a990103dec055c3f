import { addRange, countChunks, missingRanges, type ChunkRange } from '../../../kernel/runs.js';
import type { ChunksVerified, ReplicaEvent } from '../contracts/replica.events.js';
import type { Holder, Rejection } from './replica.commands.js';
import type { ReplicaContent, ReplicaState } from './replica.state.js';

/** A chunk that arrived damaged this often from every peer that has the package fails the replica. */
export const MAX_REJECTIONS = 5;

interface Arrival {
  readonly content: ReplicaContent;
  readonly state: ReplicaState;
  readonly from: Holder;
}

/** Events for what a run of chunks brought: only chunks that were missing so far count. */
export function recordChunks(
  arrival: Arrival,
  verified: readonly ChunkRange[],
  rejected: readonly Rejection[],
): readonly ReplicaEvent[] {
  const arrived = verifiedEvents(arrival, verified);
  const known = arrived.reduce<readonly ChunkRange[]>(
    (runs, event) => addRange(runs, event.data),
    arrival.state.verified,
  );
  const damaged = rejected.filter(({ index }) => isMissing(known, arrival.content.chunkCount, index));
  return [...arrived, ...rejectedEvents(arrival, damaged)];
}

const isMissing = (known: readonly ChunkRange[], total: number, index: number): boolean =>
  missingRanges(known, total, { first: index, count: 1 }).length > 0;

function verifiedEvents({ content, state, from }: Arrival, runs: readonly ChunkRange[]): readonly ChunksVerified[] {
  let known = state.verified;
  const missing = runs.flatMap((run) => {
    const parts = missingRanges(known, content.chunkCount, run);
    known = addRange(known, run);
    return parts;
  });
  let remaining = content.chunkCount - countChunks(state.verified);
  return missing.map((run) => {
    remaining -= run.count;
    return {
      type: 'ChunksVerified',
      data: { packageId: content.packageId, ...run, fromPeerId: from.peerId, remaining },
    };
  });
}

function rejectedEvents({ content, state, from }: Arrival, damaged: readonly Rejection[]): ReplicaEvent[] {
  const counted = damaged.map((chunk) => ({ ...chunk, times: sumOf(state.rejections.get(chunk.index)) + 1 }));
  const events = counted.map((chunk): ReplicaEvent => ({
    type: 'ChunkRejected',
    data: { packageId: content.packageId, ...chunk, fromPeerId: from.peerId },
  }));
  const hopeless = counted.find(({ index }) => isRejectedByAll(state, from, index));
  return hopeless ? [...events, failedEvent(content, from, hopeless)] : events;
}

const sumOf = (byPeer: ReadonlyMap<string, number> = new Map()): number =>
  [...byPeer.values()].reduce((all, n) => all + n, 0);

/** Not while there is another peer with the whole package that may send the chunk as it should be. */
function isRejectedByAll({ rejections: known, holders }: ReplicaState, from: Holder, index: number): boolean {
  const times = (peerId: string): number => (known.get(index)?.get(peerId) ?? 0) + (peerId === from.peerId ? 1 : 0);
  const whole = [...holders].filter(([, { verifiedAt }]) => verifiedAt !== null).map(([peerId]) => peerId);
  return [from.peerId, ...whole].every((peerId) => times(peerId) >= MAX_REJECTIONS);
}

function failedEvent(content: ReplicaContent, from: Holder, chunk: Rejection): ReplicaEvent {
  const reason =
    `Chunk ${chunk.index + 1} of ${content.filename} arrived damaged from ${from.peerName} ${MAX_REJECTIONS} times ` +
    `(expected ${chunk.expected}, got ${chunk.actual}). Check that server's disk and whatever stands between the ` +
    'two servers, then retry.';
  const { packageId, filename } = content;
  return { type: 'ReplicaFailed', data: { packageId, filename, code: 'CHUNK_REJECTED', reason } };
}
