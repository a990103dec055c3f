import { AsyncResource } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { countChunks, type ChunkRange } from '../../../../kernel/runs.js';
import { CHUNK_SIZE } from '../../../../ports/package-storage.port.js';
import {
  PeerTransport,
  PeerUnreachable,
  type ChunkResult,
  type RangeProgress,
} from '../../../../ports/peer-transport.port.js';
import type { FetchPlan } from '../../commands/progress/plan-fetch.command.js';
import { ChunkDigests } from '../chunk-digests.js';
import { holdsRange, type Source } from '../sources/choose.js';
import { ChunksPending } from '../sources/no-source.js';
import { Sources, type FetchOutcome } from '../sources/sources.js';
import { ChunkArrivals } from './arrivals.js';
import { shouldAbandon } from './hopeless.js';

/** A source that sends nothing for so long may have stalled. */
const SILENCE_MS = 1_000;

/** Bytes of a run of a package. */
export const bytesOf = ({ size }: FetchPlan, { first, count }: ChunkRange): number =>
  Math.min(size, (first + count) * CHUNK_SIZE) - first * CHUNK_SIZE;

/** Where a run is fetched into, and until when. */
export interface FetchTarget {
  readonly path: string;
  readonly signal: AbortSignal;
}

/** What came of asking one source. */
export interface FetchResult {
  /** All runs of the replica that are verified now. */
  readonly verified: readonly ChunkRange[];
  readonly rejected: boolean;
  /** Why not all of the run arrived. */
  readonly error: PeerUnreachable | ChunksPending | null;
}

/** A run that one source is asked for, and what the source is known to lack of it at the start. */
interface Asked {
  readonly plan: FetchPlan;
  readonly source: Source;
  readonly run: ChunkRange;
  readonly waits: boolean;
  readonly startedAt: number;
}

/** Asks one source for one run. */
@Injectable()
export class ChunkFetch {
  constructor(
    private readonly transport: PeerTransport,
    private readonly sources: Sources,
    private readonly chunkDigests: ChunkDigests,
    private readonly arrivals: ChunkArrivals,
  ) {}

  /** Ends early when one of the others would be far faster for the rest. What was verified is kept in any case. */
  async fromPeer(
    plan: FetchPlan,
    source: Source,
    others: readonly Source[],
    run: ChunkRange,
    { path, signal }: FetchTarget,
  ): Promise<FetchResult> {
    const asked = { plan, source, run, waits: !holdsRange(source, run), startedAt: Date.now() };
    const sha256 = await this.chunkDigests.of(plan.packageId, plan.chunkCount, run.first, run.count);
    const arrivals = this.arrivals.beginRange(plan, source.contact, path);
    const watch = new FetchWatch(
      asked,
      () => this.sources.currentSources(plan, others),
      () => void this.sources.askForChunks(plan, others),
    );
    // The transport calls back outside of the job's context, which says who records what.
    const onProgress = AsyncResource.bind((progress: RangeProgress) => {
      arrivals.noteVerified(progress.verified);
      watch.checkProgress(progress);
    });
    const request = { packageId: plan.packageId, packageSize: plan.size, run, sha256, path, onProgress };
    const end = this.sources.beginFetch(plan.packageId, source);
    let outcome: FetchOutcome = { sample: null, failure: null, rejected: false };
    try {
      const result = await this.transport.fetchChunks(source.contact, {
        ...request,
        signal: AbortSignal.any([signal, watch.signal]),
      });
      if (!signal.aborted) outcome = outcomeOf(asked, watch, result);
      if (result.error?.status === 404) this.sources.noteLacking(plan.packageId, source);
      return { verified: await arrivals.finish(result), rejected: outcome.rejected, error: errorOf(asked, result) };
    } finally {
      end(outcome);
    }
  }
}

/** A peer that has to wait for chunks itself is not to blame. */
function errorOf({ waits }: Asked, { error }: ChunkResult): FetchResult['error'] {
  if (!error || error.status === 404) return error;
  return waits || error.code === 'CHUNKS_PENDING' ? new ChunksPending() : error;
}

function outcomeOf(asked: Asked, { received, verdict }: FetchWatch, result: ChunkResult): FetchOutcome {
  const rejected = result.rejected.length > 0;
  if (asked.waits || result.error?.code === 'CHUNKS_PENDING') return { sample: null, failure: null, rejected };
  const whole = result.error ? countChunks(result.verified) * CHUNK_SIZE : bytesOf(asked.plan, asked.run);
  const sample = { bytes: Math.max(received, whole), ms: Date.now() - asked.startedAt };
  if (verdict === 'stalled') return { sample, failure: 'It sent nothing for 3 seconds.', rejected };
  const isFault = result.error !== null && verdict === null && result.error.status !== 404;
  return { sample, failure: isFault ? result.error.message : null, rejected };
}

/** Looks at a run while it is under way, and ends it when that is better. */
class FetchWatch {
  verdict: 'stalled' | 'slow' | null = null;
  received = 0;
  private readonly stop = new AbortController();
  private lastByteAt: number;

  constructor(
    private readonly asked: Asked,
    private readonly others: () => readonly Source[],
    /** Asks the others what they have by now. */
    private readonly ask: () => void,
  ) {
    this.lastByteAt = asked.startedAt;
  }

  get signal(): AbortSignal {
    return this.stop.signal;
  }

  checkProgress({ received }: RangeProgress): void {
    const { plan, run, startedAt } = this.asked;
    const now = Date.now();
    if (received !== this.received) this.lastByteAt = now;
    this.received = received;
    // They may have got the run since it was begun.
    if (now - this.lastByteAt >= SILENCE_MS) this.ask();
    const way = {
      run,
      total: bytesOf(plan, run),
      received,
      elapsedMs: now - startedAt,
      silentMs: now - this.lastByteAt,
    };
    this.verdict = shouldAbandon(way, this.others());
    if (this.verdict) this.stop.abort();
  }
}
