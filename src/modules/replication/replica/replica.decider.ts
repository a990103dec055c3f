import { addRange, type ChunkRange, countChunks, missingRanges } from '../../../kernel/chunk-ranges.js';
import type { Aggregate } from '../../../kernel/decider.js';
import { Refusal } from '../../../kernel/errors.js';
import type { ReplicaDamaged } from '../../packages/contracts/local-replica.events.js';
import {
  type ChunksLost,
  type ChunksVerified,
  type LineageStep,
  type PeerCopy,
  type ReplicaEvent,
  replicaEvents,
} from '../contracts/replica.events.js';
import type { DamageFound, Holder, PublishedDamageFound, Rejection, ReplicaCommand } from './replica.commands.js';
import { evolveReplica, noReplica, type ReplicaContent, type ReplicaState } from './replica.state.js';

/** The replica fails when one chunk arrived damaged this often from every peer that has the package. */
const MAX_REJECTIONS = 5;

interface Arrival {
  readonly content: ReplicaContent;
  readonly state: ReplicaState;
  readonly from: Holder;
}

/** The events for a fetched range. Only chunks that were missing so far count. */
function recordChunks(
  arrival: Arrival,
  verified: readonly ChunkRange[],
  rejected: readonly Rejection[],
): readonly ReplicaEvent[] {
  const arrived = verifiedEvents(arrival, verified);
  const known = arrived.reduce<readonly ChunkRange[]>(
    (ranges, event) => addRange(ranges, event.data),
    arrival.state.verified,
  );
  const damaged = rejected.filter(({ index }) => isMissing(known, arrival.content.chunkCount, index));
  return [...arrived, ...rejectedEvents(arrival, damaged)];
}

const isMissing = (known: readonly ChunkRange[], total: number, index: number): boolean =>
  missingRanges(known, total, { first: index, count: 1 }).length > 0;

function verifiedEvents({ content, state, from }: Arrival, ranges: readonly ChunkRange[]): readonly ChunksVerified[] {
  let known = state.verified;
  const missing = ranges.flatMap((range) => {
    const parts = missingRanges(known, content.chunkCount, range);
    known = addRange(known, range);
    return parts;
  });
  let remaining = content.chunkCount - countChunks(state.verified);
  return missing.map((range) => {
    remaining -= range.count;
    return {
      type: 'ChunksVerified',
      data: { packageId: content.packageId, ...range, fromPeerId: from.peerId, remaining },
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

/** True when no peer is left that may deliver the chunk correctly: all with the whole package have sent it damaged often enough. */
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

/** More ranges than this are recorded as one range that covers them all, to keep the event small. */
const MAX_RECORDED_RANGES = 500;

/**
 * A power cut may lose verified bytes, which are then fetched again. This happens once for each request, because an
 * administrator has to look at a disk that loses them twice.
 */
function recordDamage(
  { actual, lost }: DamageFound,
  state: ReplicaState,
  content: ReplicaContent,
): readonly ReplicaEvent[] {
  if (lost.length > 0 && !state.lostChunks) return [lostEvent(content, lost)];
  const { packageId, filename } = content;
  const reason = lost.length > 0 ? diskReason(content, lost) : digestReason(content, actual);
  return [{ type: 'ReplicaFailed', data: { packageId, filename, code: 'DIGEST_MISMATCH', reason } }];
}

/** Has a held file repaired, unless it is being repaired already or was replaced after it was read. */
function recordPublishedDamage(damage: PublishedDamageFound, state: ReplicaState): readonly ReplicaDamaged[] {
  const { content, round, uploaded, lost, missing } = damage;
  const isHeld = state.status === 'published' || (uploaded && state.status !== 'pending');
  if (!isHeld || round !== state.round) return [];
  const holders = [...state.holders].filter(([, { verifiedAt }]) => verifiedAt !== null).map(([peerId]) => peerId);
  const before = state.fromPeerId !== null && holders.includes(state.fromPeerId) ? state.fromPeerId : null;
  const fromPeerId = before ?? holders[0] ?? null;
  return [{ type: 'ReplicaDamaged', data: { ...content, fromPeerId, runs: limitRanges(content, lost), missing } }];
}

function lostEvent(content: ReplicaContent, lost: readonly ChunkRange[]): ChunksLost {
  const { packageId, filename, chunkCount } = content;
  return { type: 'ChunksLost', data: { packageId, filename, chunkCount, runs: limitRanges(content, lost) } };
}

function limitRanges({ chunkCount }: ReplicaContent, ranges: readonly ChunkRange[]): readonly ChunkRange[] {
  const first = ranges[0]?.first ?? 0;
  return ranges.length > MAX_RECORDED_RANGES ? [{ first, count: chunkCount - first }] : ranges;
}

const diskReason = ({ filename, chunkCount }: ReplicaContent, lost: readonly ChunkRange[]): string =>
  `${countChunks(lost)} of ${chunkCount} chunks of ${filename} are damaged on this server's disk, for the second time: they ` +
  'were verified when they were written. Check the disk, then retry: all of it is fetched again.';

/** The digests of the origin contradict each other, or the memory of some server is faulty. */
const digestReason = ({ filename, sha256 }: ReplicaContent, actual: string): string =>
  `Every chunk of ${filename} has the right digest, but the whole file has SHA-256 ${actual} instead of ${sha256}. Retry: ` +
  'all of it is fetched again. If it fails again, remove the package and upload it again.';

type Command<K extends ReplicaCommand['kind']> = Extract<ReplicaCommand, { kind: K }>;

/** Decides on the streams `replica-<packageId>`: our own copy of a package, and the copies that peers have reported. */
export const replica: Aggregate<ReplicaState, ReplicaCommand, ReplicaEvent> = {
  category: 'replica',
  events: replicaEvents,
  initial: noReplica,
  evolve: evolveReplica,
  decide: (command, state) => {
    if (command.kind === 'request') return requestReplica(command, state);
    if (command.kind === 'report') return reportCopy(command, state);
    if (command.kind === 'announce') return announceCopy(command, state);
    if (command.kind === 'retry') return retryReplica(state);
    if (command.kind === 'outdated') return tellAgain(command, state);
    if (command.kind === 'adopt') return adoptFile(command, state);
    if (command.kind === 'damagePublished') return recordPublishedDamage(command, state);
    // The other commands are about a requested copy. Without one they are old news.
    return state.content ? decideOnCopy(command, state, state.content) : [];
  },
};

function requestReplica({ content, fromPeerId }: Command<'request'>, state: ReplicaState): readonly ReplicaEvent[] {
  if (state.status !== 'none' && state.status !== 'withdrawn') return [];
  return [{ type: 'ReplicaRequested', data: { ...content, fromPeerId, retry: false, keepsChunks: false } }];
}

/** Records request and publication in one step, so that no job begins to fetch. */
function adoptFile({ content }: Command<'adopt'>, state: ReplicaState): readonly ReplicaEvent[] {
  const { status, fromPeerId } = state;
  if (status !== 'withdrawn' || fromPeerId === null) return [];
  const { packageId, filename, size, sha256 } = content;
  const published: ReplicaEvent = { type: 'ReplicaPublished', data: { packageId, filename, size, sha256 } };
  return [{ type: 'ReplicaRequested', data: { ...content, fromPeerId, retry: false, keepsChunks: false } }, published];
}

function reportCopy({ packageId, holder, copy }: Command<'report'>, state: ReplicaState): readonly ReplicaEvent[] {
  const known = state.holders.get(holder.peerId) ?? null;
  if (isSameCopy(known, copy)) return [];
  if (copy === null) return [{ type: 'ReplicaUnreported', data: { packageId, ...holder } }];
  return [
    { type: 'ReplicaReported', data: { packageId, ...holder, verifiedAt: copy.verifiedAt, lineage: copy.lineage } },
  ];
}

/** True when both copies came through the same servers at the same times. */
function isSameCopy(a: PeerCopy | null, b: PeerCopy | null): boolean {
  if (a === null || b === null) return a === b;
  const step = (one: LineageStep): string => `${one.serverId} ${one.verifiedAt}`;
  return a.verifiedAt === b.verifiedAt && a.lineage.map(step).join() === b.lineage.map(step).join();
}

/**
 * A peer is told the same only once. One that refuses what we know, while we refuse what it knows, would answer with its
 * own, and so on for ever. A peer that has lost what it was told finds it by the comparison.
 */
function tellAgain({ packageId, holder, told }: Command<'outdated'>, state: ReplicaState): readonly ReplicaEvent[] {
  if (state.toldAgain.get(holder.peerId) === told) return [];
  return [{ type: 'PeerOutdated', data: { packageId, ...holder, told } }];
}

function announceCopy({ report: news, content }: Command<'announce'>, state: ReplicaState): readonly ReplicaEvent[] {
  const fromPeerId = news.holder.peerId;
  return [...reportCopy(news, state), ...requestReplica({ kind: 'request', content, fromPeerId }, state)];
}

function retryReplica(state: ReplicaState): readonly ReplicaEvent[] {
  const fromPeerId = state.fromPeerId ?? [...state.holders.keys()][0];
  if (!state.content || fromPeerId === undefined) {
    throw new Refusal('REPLICA_NOT_FOUND', 'This server has no copy of that package and has not asked for one.');
  }
  if (state.status !== 'failed') {
    throw new Refusal('REPLICA_NOT_FAILED', 'Only a copy that has failed can be retried.', { status: state.status });
  }
  const { content } = state;
  const keepsChunks = state.failure !== 'DIGEST_MISMATCH';
  return [{ type: 'ReplicaRequested', data: { ...content, fromPeerId, retry: true, keepsChunks } }];
}

type CopyCommand = Command<'recordChunks' | 'delay' | 'publish' | 'damage' | 'arrive' | 'withdraw'>;

function decideOnCopy(command: CopyCommand, state: ReplicaState, content: ReplicaContent): readonly ReplicaEvent[] {
  const { packageId, filename, size, sha256, chunkCount } = content;
  if (command.kind === 'withdraw') {
    if (state.status === 'withdrawn') return [];
    return [{ type: 'ReplicaWithdrawn', data: { packageId, filename, reason: command.reason } }];
  }
  const published: ReplicaEvent = { type: 'ReplicaPublished', data: { packageId, filename, size, sha256 } };
  if (command.kind === 'arrive') return state.status === 'pending' || state.status === 'failed' ? [published] : [];
  if (state.status !== 'pending') return [];
  if (command.kind === 'recordChunks') {
    if (command.round !== state.round) return [];
    return recordChunks({ content, state, from: command.from }, command.verified, command.rejected);
  }
  if (command.kind === 'publish') {
    const complete = missingRanges(state.verified, chunkCount).length === 0;
    return complete ? [published] : [];
  }
  if (command.kind === 'damage') return command.round === state.round ? recordDamage(command, state, content) : [];
  const { code, reason } = command;
  // The reason of a closed time window says when it opens. Other reasons change with each try, so only their code counts.
  const cause = code === 'OUTSIDE_WINDOW' ? reason : code;
  if (state.delay === cause) return [];
  return [{ type: 'ReplicaDelayed', data: { packageId, code, reason, fromPeerId: command.fromPeerId } }];
}
