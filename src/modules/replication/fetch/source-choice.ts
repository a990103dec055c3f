import { type ChunkRange, missingRanges } from '../../../kernel/chunk-ranges.js';
import { mayReceiveFrom } from '../../../kernel/transfer-policy.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import type { FetchPlan, PlannedHolder } from './replica-progress.command.js';

/** A peer that may be asked for chunks of a package. */
export interface Candidate extends PlannedHolder {
  readonly contact: PeerContact;
}

/**
 * Selects the peers that may be asked now from those that should have a package: they are registered, not suspended,
 * allowed by their policy, and not known to lack it.
 */
export function selectCandidates(
  { holders }: Pick<FetchPlan, 'holders'>,
  contacts: ReadonlyMap<string, PeerContact>,
  lacks: (holder: PlannedHolder) => boolean,
  now: Date,
): readonly Candidate[] {
  return holders.flatMap((holder) => {
    const contact = contacts.get(holder.peerId);
    const mayBeAsked = contact && !contact.suspended && mayReceiveFrom(contact.policy, now).may && !lacks(holder);
    return mayBeAsked ? [{ ...holder, contact }] : [];
  });
}

/** A candidate with everything that the choice depends on. */
export interface Source extends Candidate {
  /** Chunks that the peer is known to have. */
  readonly known: readonly ChunkRange[];
  /** Whether the peer has sent wrong bytes of this package. */
  readonly rejected: boolean;
  readonly usable: boolean;
  /** Bytes per second of all its fetches together; null when unknown. */
  readonly rate: number | null;
  readonly running: number;
}

/** Whether the source has all chunks of the range. A source that lacks some has to wait for them itself. */
export const holdsRange = ({ known }: Source, { first, count }: ChunkRange): boolean =>
  missingRanges(known, first + count, { first, count }).length === 0;

/** Milliseconds until a source would have delivered `bytes` more; null when its rate is not known. */
export const expectedMs = ({ rate, running }: Source, bytes: number): number | null =>
  rate === null ? null : ((running + 1) * bytes * 1_000) / Math.max(1, rate);

/**
 * The lower, the sooner a source is asked. Reasons to ask it later, from heavy to light: it lacks the range because it
 * fetches the package from us, it sent wrong bytes before, it failed lately, it lacks the range.
 */
function rankDrawback(source: Source, run: ChunkRange): number {
  const lacks = !holdsRange(source, run);
  return (lacks && source.downstream ? 8 : 0) + (source.rejected ? 4 : 0) + (source.usable ? 0 : 2) + (lacks ? 1 : 0);
}

/**
 * Chooses the source that is expected to deliver the range first. A source of unknown rate gets a range at once, and counts
 * as the fastest one until that has ended.
 */
export function chooseSource(sources: readonly Source[], run: ChunkRange, bytes: number): Source | null {
  const best = Math.max(1, ...sources.map(({ rate }) => rate ?? 0));
  const cost = (source: Source): number => {
    if (source.rate === null && source.running === 0) return 0;
    return expectedMs({ ...source, rate: source.rate ?? best }, bytes) ?? 0;
  };
  const ranked = sources
    .map((source) => ({ source, drawback: rankDrawback(source, run), cost: cost(source) }))
    .toSorted((a, b) => a.drawback - b.drawback || a.cost - b.cost);
  return ranked[0]?.source ?? null;
}

/** A source that has sent nothing for so long counts as stalled. */
const STALLED_AFTER_MS = 3_000;
/** A rate is not judged before so long. */
const MIN_ELAPSED_MS = 2_000;
/** A range is given to another source when this one would take `times` times as long and `ms` milliseconds more. */
const FAR_SLOWER = { times: 4, ms: 1_000 };

/** A range that is being fetched. Times are in milliseconds, sizes in bytes. */
export interface FetchUnderWay {
  readonly run: ChunkRange;
  readonly total: number;
  readonly received: number;
  readonly elapsedMs: number;
  /** Time since the last byte arrived. */
  readonly silentMs: number;
}

/** Says whether another source should be asked for the rest of the range, and why. Null when none has it or it would not help. */
export function shouldAbandon(way: FetchUnderWay, others: readonly Source[]): 'stalled' | 'slow' | null {
  const better = others.filter((other) => other.usable && !other.rejected && holdsRange(other, way.run));
  if (better.length === 0) return null;
  if (way.silentMs >= STALLED_AFTER_MS) return 'stalled';
  if (way.elapsedMs < MIN_ELAPSED_MS) return null;
  const rest = way.total - way.received;
  const hereMs = (way.elapsedMs * rest) / Math.max(1, way.received);
  const elsewhereMs = Math.min(...better.map((other) => expectedMs(other, rest) ?? Number.POSITIVE_INFINITY));
  return hereMs > FAR_SLOWER.times * elsewhereMs + FAR_SLOWER.ms ? 'slow' : null;
}

/**
 * Picks the range of a lane that is best fetched now; the ranges are given in the order of the lane. `place` (from 0 to 1)
 * is where in the package this server begins while others fetch it as well. Each server begins at another place, so that
 * they soon have chunks that the others lack and fetch them from each other instead of all from one source.
 */
export function pickRange(
  runs: readonly ChunkRange[],
  sources: readonly Source[],
  chunkCount: number,
  place: number,
): ChunkRange | undefined {
  const peers = sources.filter(({ whole, downstream }) => !whole && !downstream);
  if (sources.some(({ whole, usable, rejected }) => whole && usable && !rejected)) {
    return peers.length === 0 ? runs[0] : (runs.find(({ first }) => first >= place * chunkCount) ?? runs[0]);
  }
  return runs.toSorted((a, b) => distanceOf(a, sources) - distanceOf(b, sources))[0];
}

/** 0: a source has the whole range. 1: a source has its beginning. 2: no source has it. */
function distanceOf(run: ChunkRange, sources: readonly Source[]): number {
  if (sources.some((source) => holdsRange(source, run))) return 0;
  return sources.some(({ known }) => missingRanges(known, run.first + run.count, run)[0]?.first !== run.first) ? 1 : 2;
}
