import { AsyncResource } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { CHUNK_SIZE, type ChunkRange, countChunks } from '../../../kernel/chunk-ranges.js';
import type { ReplicaFile } from '../../../ports/package-storage.port.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import {
  type ChunkResult,
  PeerTransport,
  PeerUnreachable,
  type RangeProgress,
} from '../../../ports/peer-transport.port.js';
import { ChunksPending } from './delays.js';
import { ChunkDigests, RunningDigests } from './package-digests.js';
import { type FetchPlan, RecordChunks } from './replica-progress.command.js';
import { holdsRange, shouldAbandon, type Source } from './source-choice.js';
import { type FetchOutcome, Sources } from './sources.js';

/** What comes of a slow run is recorded so often while it is under way: others can have it then, and a crash loses little. */
const RECORD_INTERVAL_MS = 1_000;

/** Records the chunks of a run. */
interface RangeArrivals {
  /** Chunks of the run that are verified so far; recorded at most once a second. */
  noteVerified(verified: readonly ChunkRange[]): void;
  /** The run has ended. Gives all runs of the replica that are verified now. */
  finish(result: ChunkResult): Promise<readonly ChunkRange[]>;
}

@Injectable()
export class ChunkArrivals {
  constructor(
    private readonly commands: CommandBus,
    private readonly runningDigests: RunningDigests,
  ) {}

  /** For a run of a plan that begins now, from a peer into the replica's file. */
  beginRange(plan: FetchPlan, { peerId, name }: PeerContact, file: ReplicaFile): RangeArrivals {
    const record = async ({
      verified,
      rejected,
    }: Pick<ChunkResult, 'verified' | 'rejected'>): Promise<readonly ChunkRange[]> => {
      if (verified.length === 0 && rejected.length === 0) return plan.verified;
      const arrival = {
        packageId: plan.packageId,
        round: plan.round,
        from: { peerId, peerName: name },
        verified,
        rejected,
      };
      const all = await this.commands.execute(new RecordChunks(arrival));
      this.runningDigests.advance(plan, file, all);
      return all;
    };
    let recordedAt = Date.now();
    let recorded = 0;
    let recording: Promise<unknown> = Promise.resolve();
    return {
      noteVerified: (verified) => {
        if (Date.now() - recordedAt < RECORD_INTERVAL_MS || countChunks(verified) === recorded) return;
        recordedAt = Date.now();
        recorded = countChunks(verified);
        // What is lost here is recorded at the end.
        recording = recording.then(() => record({ verified, rejected: [] })).catch(() => undefined);
      },
      finish: async (result) => {
        await recording;
        return record(result);
      },
    };
  }
}

/** A source that sends nothing for so long may have stalled. */
const SILENCE_MS = 1_000;

/** Bytes of a run of a package. */
export const bytesOf = ({ size }: FetchPlan, { first, count }: ChunkRange): number =>
  Math.min(size, (first + count) * CHUNK_SIZE) - first * CHUNK_SIZE;

/** Where a run is fetched into, and until when. */
export interface FetchTarget {
  readonly file: ReplicaFile;
  readonly signal: AbortSignal;
}

/** What came of asking one source. */
interface FetchResult {
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
    { file, signal }: FetchTarget,
  ): Promise<FetchResult> {
    const asked = { plan, source, run, waits: !holdsRange(source, run), startedAt: Date.now() };
    const sha256 = await this.chunkDigests.of(plan.packageId, plan.chunkCount, run.first, run.count);
    const arrivals = this.arrivals.beginRange(plan, source.contact, file);
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
    const request = { file, run, sha256, onProgress };
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
