import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { countChunks, missingRanges, type ChunkRange } from '../../../kernel/chunk-ranges.js';
import { PlanFetch, type FetchPlan } from './replica-progress.command.js';
import { chooseSource, holdsRange, type Source } from './source-choice.js';
import { ChunksPending, FetchPostponed } from './delays.js';
import { Sources } from './sources.js';
import { ChunkFetch, bytesOf, type FetchTarget } from './chunk-fetch.js';

/** So many ranges of this process may wait for chunks that their source does not have yet. The rest of the jobs is for other packages. */
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
   * @throws PeerUnreachable, NoSource, OutsideWindow, PutOff: no source works
   */
  async fetchRange(plan: FetchPlan, run: ChunkRange, target: FetchTarget): Promise<readonly ChunkRange[] | null> {
    const tried = new Set<string>();
    let current: FetchPlan | null = plan;
    let problem: Error | null = null;
    while (current && current.round === plan.round) {
      const [missing] = missingRanges(current.verified, plan.chunkCount, run);
      if (!missing) return current.verified;
      const left: readonly Source[] = (await this.sources.findSources(current)).filter(
        ({ peerId }) => !tried.has(peerId),
      );
      const source = chooseSource(left, missing, bytesOf(plan, missing));
      if (!source && tried.size === 0) throw await this.sources.explainNoSource(current);
      if (!source) return resultWithoutSource(plan, current, problem);
      const { verified, ...outcome } = await this.fetchFrom(current, source, left, missing, target);
      if (missingRanges(verified, plan.chunkCount, run).length === 0) return verified;
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
    run: ChunkRange,
    target: FetchTarget,
  ) {
    const others = left.filter((other) => other !== source);
    if (holdsRange(source, run)) return this.attempts.fromPeer(plan, source, others, run, target);
    if (this.waiting >= MAX_WAITING) throw new FetchPostponed();
    this.waiting += 1;
    try {
      return await this.attempts.fromPeer(plan, source, others, run, target);
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
