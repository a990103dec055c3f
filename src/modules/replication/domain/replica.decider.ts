import type { Aggregate } from '../../../kernel/decider.js';
import { Refusal } from '../../../kernel/refusal.js';
import { missingRanges } from '../../../kernel/runs.js';
import type { LineageStep, PeerCopy } from '../contracts/lineage.js';
import { replicaEvents, type ReplicaEvent } from '../contracts/replica.events.js';
import { evolveReplica } from './evolve.js';
import { recordChunks } from './record-chunks.js';
import { recordDamage, recordPublishedDamage } from './record-damage.js';
import type { ReplicaCommand } from './replica.commands.js';
import { noReplica, type ReplicaContent, type ReplicaState } from './replica.state.js';

type Command<K extends ReplicaCommand['kind']> = Extract<ReplicaCommand, { kind: K }>;

/** Streams `replica-<packageId>`: our own copy of a package, and who else has one. */
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
    if (command.kind === 'outdated')
      return [{ type: 'PeerOutdated', data: { packageId: command.packageId, ...command.holder } }];
    if (command.kind === 'adopt') return adoptFile(command, state);
    if (command.kind === 'damagePublished') return recordPublishedDamage(command, state);
    // The rest concerns a copy that was asked for; for any other it is old news.
    return state.content ? decideOnCopy(command, state, state.content) : [];
  },
};

function requestReplica({ content, fromPeerId }: Command<'request'>, state: ReplicaState): readonly ReplicaEvent[] {
  if (state.status !== 'none' && state.status !== 'withdrawn') return [];
  return [{ type: 'ReplicaRequested', data: { ...content, fromPeerId, retry: false, keepsChunks: false } }];
}

/** In one step, so that no job begins to fetch. */
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

/** The same servers at the same times: a way is a handful of them. */
function isSameCopy(a: PeerCopy | null, b: PeerCopy | null): boolean {
  if (a === null || b === null) return a === b;
  const step = (one: LineageStep): string => `${one.serverId} ${one.verifiedAt}`;
  return a.verifiedAt === b.verifiedAt && a.lineage.map(step).join() === b.lineage.map(step).join();
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
  // Other reasons change with each try; that of a closed window says when it opens.
  const cause = code === 'OUTSIDE_WINDOW' ? reason : code;
  if (state.delay === cause) return [];
  return [{ type: 'ReplicaDelayed', data: { packageId, code, reason, fromPeerId: command.fromPeerId } }];
}
