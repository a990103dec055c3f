import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { countChunks, missingRanges, type ChunkRange } from '../../../kernel/chunk-ranges.js';
import { PlanFetch, type FetchPlan } from './replica-progress.command.js';
import { chooseSource, holdsRange, type Source } from './source-choice.js';
import { ChunksPending, FetchPostponed } from './delays.js';
import { Sources } from './sources.js';
import { ChunkFetch, bytesOf, type FetchTarget } from './chunk-fetch.js';

/** Runs of this process that wait at once for chunks that their source does not have yet: other packages need jobs, too. */
const MAX_WAITING = 4;

/** Fetches runs of chunks, each from the source that should have it here first. */
@Injectable()
export class RangeFetcher {
  private waiting = 0;

  constructor(
    private readonly commands: CommandBus,
    private readonly sources: Sources,
    private readonly attempts: ChunkFetch,
  ) {}

  /**
   * Fetches what is missing of a run, from one source after another where one fails, is too slow, or sends wrong bytes.
   * Gives all runs of the replica that are verified then, null when it is no longer wanted as it was planned.
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
      // Each turn brings the run to its end, a chunk further, or uses up a source.
      if (missingRanges(verified, plan.chunkCount, missing).length > 0) tried.add(source.peerId);
      // That a peer waits for the chunks itself says less than any other error.
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

/** A chunk that was rejected by all is fetched again later: see `refetchJob`. */
function resultWithoutSource(
  before: FetchPlan,
  { filename, verified }: FetchPlan,
  problem: Error | null,
): readonly ChunkRange[] {
  if (problem instanceof ChunksPending) {
    // While others of the package come in, nothing holds it up.
    if (countChunks(verified) > countChunks(before.verified)) throw new FetchPostponed();
    throw new ChunksPending(
      `The servers that can be asked for ${filename} fetch it themselves and wait for the rest of it.`,
    );
  }
  if (problem) throw problem;
  return verified;
}
