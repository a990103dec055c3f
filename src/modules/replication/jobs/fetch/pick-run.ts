import { missingRanges, type ChunkRange } from '../../../../kernel/runs.js';
import { holdsRange, type Source } from '../sources/choose.js';

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
