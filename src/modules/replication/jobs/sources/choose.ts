import { missingRanges, type ChunkRange } from '../../../../kernel/runs.js';
import type { Candidate } from './candidates.js';

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
