import { expectedMs, holdsRange, type Source } from '../sources/choose.js';
import type { ChunkRange } from '../../../../kernel/runs.js';

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
