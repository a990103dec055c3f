import { type ChunkRange, missingRanges } from '../../../kernel/chunk-ranges.js';
import { mayReceiveFrom } from '../../../kernel/transfer-policy.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import type { FetchPlan, PlannedHolder } from './replica-progress.command.js';

/** A peer that chunks of a package may be asked of. */
export interface Candidate extends PlannedHolder {
  readonly contact: PeerContact;
}

/**
 * Of the peers that should have a package, those that may be asked now: registered, not suspended, by their policy, and
 * not known to lack it.
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

/** A candidate with all that the choice depends on. */
export interface Source extends Candidate {
  /** Chunks that it is known to have. */
  readonly known: readonly ChunkRange[];
  /** Did it send wrong bytes of this package? */
  readonly rejected: boolean;
  readonly usable: boolean;
  /** Bytes a second of all its runs together; null when unknown. */
  readonly rate: number | null;
  readonly running: number;
}

/** Does the source have all of the run? Otherwise it would have to wait for it itself. */
export const holdsRange = ({ known }: Source, { first, count }: ChunkRange): boolean =>
  missingRanges(known, first + count, { first, count }).length === 0;

/** Milliseconds until `bytes` more would be here from a source; null when its rate is not known. */
export const expectedMs = ({ rate, running }: Source, bytes: number): number | null =>
  rate === null ? null : ((running + 1) * bytes * 1_000) / Math.max(1, rate);

/** What is asked last first: wrong bytes before, failed lately, lacks the run, and lacks it because it waits for us. */
function rankDrawback(source: Source, run: ChunkRange): number {
  const lacks = !holdsRange(source, run);
  return (lacks && source.downstream ? 8 : 0) + (source.rejected ? 4 : 0) + (source.usable ? 0 : 2) + (lacks ? 1 : 0);
}

/**
 * The source that should have the run here first. One whose rate is not known gets a run at once, and counts as the
 * fastest while that is under way.
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

/** A source that sends nothing for so long has stalled. */
const STALLED_AFTER_MS = 3_000;
/** Before that a rate says little. */
const MIN_ELAPSED_MS = 2_000;
/** A run is given to another source when it would take so many times longer here, and by so much. */
const FAR_SLOWER = { times: 4, ms: 1_000 };

/** A run that is under way. Times in milliseconds, sizes in bytes. */
export interface FetchUnderWay {
  readonly run: ChunkRange;
  readonly total: number;
  readonly received: number;
  readonly elapsedMs: number;
  /** Since the last byte came. */
  readonly silentMs: number;
}

/** Is it better to end the run and to ask one of the others for the rest? Never when there is none that has it. */
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
 * Which of the runs of a lane is best fetched now; they are given in the lane's order. `place` (0 to 1) is where in the
 * package this server begins when others fetch it too: each begins elsewhere, so that they soon have chunks that the
 * others lack, and take them from each other instead of all from the same source.
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

/** 0: a source has it; 1: a source has its beginning; 2: none has. */
function distanceOf(run: ChunkRange, sources: readonly Source[]): number {
  if (sources.some((source) => holdsRange(source, run))) return 0;
  return sources.some(({ known }) => missingRanges(known, run.first + run.count, run)[0]?.first !== run.first) ? 1 : 2;
}
