import { AsyncResource } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { CHUNK_SIZE, type ChunkRange, countChunks, missingRanges } from '../../../kernel/chunk-ranges.js';
import type { ReplicaFile } from '../../../ports/package-storage.port.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import {
  type ChunkResult,
  PeerTransport,
  PeerUnreachable,
  type RangeProgress,
} from '../../../ports/peer-transport.port.js';
import { ChunksPending, FetchPostponed } from './delays.js';
import { ChunkDigests, RunningDigests } from './package-digests.js';
import { type FetchPlan, PlanFetch, RecordChunks } from './replica-progress.command.js';
import { chooseSource, holdsRange, shouldAbandon, type Source } from './source-choice.js';
import { type FetchOutcome, Sources } from './sources.js';

/** The time after which the chunks of a slow range are recorded while it is being fetched, so that peers can have them and a crash loses little. */
const RECORD_INTERVAL_MS = 1_000;

/** Records the chunks of one range while they arrive. */
interface RangeArrivals {
  /** Takes the chunks of the range that are verified so far, and records them at most once a second. */
  noteVerified(verified: readonly ChunkRange[]): void;
  /** Records the rest after the range has ended. Gives all verified ranges of the replica. */
  finish(result: ChunkResult): Promise<readonly ChunkRange[]>;
}

@Injectable()
export class ChunkArrivals {
  constructor(
    private readonly commands: CommandBus,
    private readonly runningDigests: RunningDigests,
  ) {}

  /** Starts to record a range of a plan that a peer delivers into the replica's file. */
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
        // Chunks that cannot be recorded now are recorded at the end.
        recording = recording.then(() => record({ verified, rejected: [] })).catch(() => undefined);
      },
      finish: async (result) => {
        await recording;
        return record(result);
      },
    };
  }
}

/** A source that sends nothing for this time may have stalled, so the other sources are asked for their chunks. */
const SILENCE_MS = 1_000;

/** Number of bytes in a chunk range of a package. */
const bytesOf = ({ size }: FetchPlan, { first, count }: ChunkRange): number =>
  Math.min(size, (first + count) * CHUNK_SIZE) - first * CHUNK_SIZE;

/** The file that chunks are written to, and the signal that ends the fetch. */
interface FetchTarget {
  readonly file: ReplicaFile;
  readonly signal: AbortSignal;
}

/** The outcome of asking one source. */
interface FetchResult {
  /** All verified ranges of the replica. */
  readonly verified: readonly ChunkRange[];
  readonly rejected: boolean;
  /** The reason why a part of the range did not arrive. Null when all of it has arrived. */
  readonly error: PeerUnreachable | ChunksPending | null;
}

/** A range that one source is asked for. `waits` says that the source does not have all of it at the start. */
interface Asked {
  readonly plan: FetchPlan;
  readonly source: Source;
  readonly range: ChunkRange;
  readonly waits: boolean;
  readonly startedAt: number;
}

/** Fetches one chunk range from one source. */
@Injectable()
export class ChunkFetch {
  constructor(
    private readonly transport: PeerTransport,
    private readonly sources: Sources,
    private readonly chunkDigests: ChunkDigests,
    private readonly arrivals: ChunkArrivals,
  ) {}

  /**
   * Asks the source for the range. Ends early when another source would be far faster for the rest. Verified chunks are
   * kept in any case.
   */
  async fromPeer(
    plan: FetchPlan,
    source: Source,
    others: readonly Source[],
    range: ChunkRange,
    { file, signal }: FetchTarget,
  ): Promise<FetchResult> {
    const asked = { plan, source, range, waits: !holdsRange(source, range), startedAt: Date.now() };
    const sha256 = await this.chunkDigests.digestsOf(plan.packageId, plan.chunkCount, range.first, range.count);
    const arrivals = this.arrivals.beginRange(plan, source.contact, file);
    const watch = new FetchWatch(
      asked,
      () => this.sources.currentSources(plan, others),
      () => void this.sources.askForChunks(plan, others),
    );
    // The transport calls back outside of the job's context, which names the actor of what is recorded.
    const onProgress = AsyncResource.bind((progress: RangeProgress) => {
      arrivals.noteVerified(progress.verified);
      watch.checkProgress(progress);
    });
    const request = { file, range, sha256, onProgress };
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

/** A peer that has to wait for the chunks itself is not at fault. */
function errorOf({ waits }: Asked, { error }: ChunkResult): FetchResult['error'] {
  if (!error || error.status === 404) return error;
  return waits || error.code === 'CHUNKS_PENDING' ? new ChunksPending() : error;
}

function outcomeOf(asked: Asked, { received, verdict }: FetchWatch, result: ChunkResult): FetchOutcome {
  const rejected = result.rejected.length > 0;
  if (asked.waits || result.error?.code === 'CHUNKS_PENDING') return { sample: null, failure: null, rejected };
  const whole = result.error ? countChunks(result.verified) * CHUNK_SIZE : bytesOf(asked.plan, asked.range);
  const sample = { bytes: Math.max(received, whole), ms: Date.now() - asked.startedAt };
  if (verdict === 'stalled') return { sample, failure: 'It sent nothing for 3 seconds.', rejected };
  const isFault = result.error !== null && verdict === null && result.error.status !== 404;
  return { sample, failure: isFault ? result.error.message : null, rejected };
}

/** Watches a fetch, and ends it when another source would be better. */
class FetchWatch {
  verdict: 'stalled' | 'slow' | null = null;
  received = 0;
  private readonly stop = new AbortController();
  private lastByteAt: number;

  constructor(
    private readonly asked: Asked,
    private readonly others: () => readonly Source[],
    /** Asks the other sources which chunks they have now. */
    private readonly ask: () => void,
  ) {
    this.lastByteAt = asked.startedAt;
  }

  get signal(): AbortSignal {
    return this.stop.signal;
  }

  checkProgress({ received }: RangeProgress): void {
    const { plan, range, startedAt } = this.asked;
    const now = Date.now();
    if (received !== this.received) this.lastByteAt = now;
    this.received = received;
    // Another source may have received the range in the meantime.
    if (now - this.lastByteAt >= SILENCE_MS) this.ask();
    const way = {
      range,
      total: bytesOf(plan, range),
      received,
      elapsedMs: now - startedAt,
      silentMs: now - this.lastByteAt,
    };
    this.verdict = shouldAbandon(way, this.others());
    if (this.verdict) this.stop.abort();
  }
}

/** The number of ranges of this process that may wait for chunks of a source at the same time. The other jobs are free for other packages. */
const MAX_WAITING = 4;

/** Fetches chunk ranges, each from the source that is expected to deliver it first. */
@Injectable()
export class RangeFetcher {
  private waiting = 0;

  constructor(
    private readonly commands: CommandBus,
    private readonly sources: Sources,
    private readonly attempts: ChunkFetch,
  ) {}

  /**
   * Fetches the missing chunks of a range. When a source fails, is too slow or sends wrong bytes, the next one is asked.
   * Gives all verified ranges of the replica; null when the replica is no longer wanted as it was planned.
   * @throws PeerUnreachable, NoSource, OutsideWindow, FetchPostponed: no source works
   */
  async fetchRange(plan: FetchPlan, range: ChunkRange, target: FetchTarget): Promise<readonly ChunkRange[] | null> {
    const tried = new Set<string>();
    let current: FetchPlan | null = plan;
    let problem: Error | null = null;
    while (current && current.round === plan.round) {
      const [missing] = missingRanges(current.verified, plan.chunkCount, range);
      if (!missing) return current.verified;
      const left: readonly Source[] = (await this.sources.findSources(current)).filter(
        ({ peerId }) => !tried.has(peerId),
      );
      const source = chooseSource(left, missing, bytesOf(plan, missing));
      if (!source && tried.size === 0) throw await this.sources.explainNoSource(current);
      if (!source) return resultWithoutSource(plan, current, problem);
      const { verified, ...outcome } = await this.fetchFrom(current, source, left, missing, target);
      if (missingRanges(verified, plan.chunkCount, range).length === 0) return verified;
      target.signal.throwIfAborted();
      // Each turn completes the range, adds at least one chunk, or uses up a source.
      if (missingRanges(verified, plan.chunkCount, missing).length > 0) tried.add(source.peerId);
      // Any other error tells more than that a peer waits for the chunks itself.
      if (outcome.error && (!problem || problem instanceof FetchPostponed)) problem = outcome.error;
      current = await this.commands.execute(new PlanFetch(plan.packageId));
    }
    return null;
  }

  private async fetchFrom(
    plan: FetchPlan,
    source: Source,
    left: readonly Source[],
    range: ChunkRange,
    target: FetchTarget,
  ) {
    const others = left.filter((other) => other !== source);
    if (holdsRange(source, range)) return this.attempts.fromPeer(plan, source, others, range, target);
    if (this.waiting >= MAX_WAITING) throw new FetchPostponed();
    this.waiting += 1;
    try {
      return await this.attempts.fromPeer(plan, source, others, range, target);
    } finally {
      this.waiting -= 1;
    }
  }
}

/** A chunk that was rejected from every source is fetched again by a job of its own: see `refetchJob`. */
function resultWithoutSource(
  before: FetchPlan,
  { filename, verified }: FetchPlan,
  problem: Error | null,
): readonly ChunkRange[] {
  if (problem instanceof ChunksPending) {
    // Other chunks of the package still arrive, so nothing delays the replica.
    if (countChunks(verified) > countChunks(before.verified)) throw new FetchPostponed();
    throw new ChunksPending(
      `The servers that can be asked for ${filename} are still fetching it themselves and do not have the missing chunks yet.`,
    );
  }
  if (problem) throw problem;
  return verified;
}
