import { addRun, countOf, missingRuns, type Run } from '../../../kernel/runs.js';
import type { ChunksVerified, ReplicaEvent } from '../contracts/replica.events.js';
import type { Holder, Rejection } from './replica.commands.js';
import type { ReplicaContent, ReplicaState } from './replica.state.js';

/** A chunk that arrived damaged this often from every peer that has the package fails the replica. */
export const MOST_REJECTIONS = 5;

interface Arrival {
  readonly content: ReplicaContent;
  readonly state: ReplicaState;
  readonly from: Holder;
}

/** Events for what a run of chunks brought: only chunks that were missing so far count. */
export function recordChunks(
  arrival: Arrival,
  verified: readonly Run[],
  rejected: readonly Rejection[],
): readonly ReplicaEvent[] {
  const arrived = verifications(arrival, verified);
  const known = arrived.reduce<readonly Run[]>((runs, event) => addRun(runs, event.data), arrival.state.verified);
  const damaged = rejected.filter(({ index }) => isMissing(known, arrival.content.chunkCount, index));
  return [...arrived, ...rejections(arrival, damaged)];
}

const isMissing = (known: readonly Run[], total: number, index: number): boolean =>
  missingRuns(known, total, { first: index, count: 1 }).length > 0;

function verifications({ content, state, from }: Arrival, runs: readonly Run[]): readonly ChunksVerified[] {
  let known = state.verified;
  const missing = runs.flatMap((run) => {
    const parts = missingRuns(known, content.chunkCount, run);
    known = addRun(known, run);
    return parts;
  });
  let remaining = content.chunkCount - countOf(state.verified);
  return missing.map((run) => {
    remaining -= run.count;
    return {
      type: 'ChunksVerified',
      data: { packageId: content.packageId, ...run, fromPeerId: from.peerId, remaining },
    };
  });
}

function rejections({ content, state, from }: Arrival, damaged: readonly Rejection[]): ReplicaEvent[] {
  const counted = damaged.map((chunk) => ({ ...chunk, times: sum(state.rejections.get(chunk.index)) + 1 }));
  const events = counted.map((chunk): ReplicaEvent => ({
    type: 'ChunkRejected',
    data: { packageId: content.packageId, ...chunk, fromPeerId: from.peerId },
  }));
  const hopeless = counted.find(({ index }) => isHopeless(state, from, index));
  return hopeless ? [...events, givenUp(content, from, hopeless)] : events;
}

const sum = (byPeer: ReadonlyMap<string, number> = new Map()): number =>
  [...byPeer.values()].reduce((all, n) => all + n, 0);

/** Not while there is another peer with the whole package that may send the chunk as it should be. */
function isHopeless({ rejections: known, holders }: ReplicaState, from: Holder, index: number): boolean {
  const times = (peerId: string): number => (known.get(index)?.get(peerId) ?? 0) + (peerId === from.peerId ? 1 : 0);
  const whole = [...holders].filter(([, { verifiedAt }]) => verifiedAt !== null).map(([peerId]) => peerId);
  return [from.peerId, ...whole].every((peerId) => times(peerId) >= MOST_REJECTIONS);
}

function givenUp(content: ReplicaContent, from: Holder, chunk: Rejection): ReplicaEvent {
  const reason =
    `Chunk ${chunk.index + 1} of ${content.filename} arrived damaged from ${from.peerName} ${MOST_REJECTIONS} times ` +
    `(expected ${chunk.expected}, got ${chunk.actual}). Check that server's disk and whatever stands between the ` +
    'two servers, then retry.';
  const { packageId, filename } = content;
  return { type: 'ReplicaFailed', data: { packageId, filename, code: 'CHUNK_REJECTED', reason } };
}
