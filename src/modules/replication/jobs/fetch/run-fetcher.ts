import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { countOf, missingRuns, type Run } from '../../../../kernel/runs.js';
import { PlanFetch, type FetchPlan } from '../../commands/progress/plan-fetch.command.js';
import { choose, has, type Source } from '../sources/choose.js';
import { ChunksPending, PutOff } from '../sources/no-source.js';
import { Sources } from '../sources/sources.js';
import { Attempts, bytesOf, type RunTarget } from './attempt.js';

/** Runs of this process that wait at once for chunks that their source does not have yet: other packages need jobs, too. */
const MOST_WAITING = 4;

/** Fetches runs of chunks, each from the source that should have it here first. */
@Injectable()
export class RunFetcher {
  private waiting = 0;

  constructor(
    private readonly commands: CommandBus,
    private readonly sources: Sources,
    private readonly attempts: Attempts,
  ) {}

  /**
   * Fetches what is missing of a run, from one source after another where one fails, is too slow, or sends wrong bytes.
   * Gives all runs of the replica that are verified then, null when it is no longer wanted as it was planned.
   * @throws PeerUnreachable, NoSource, OutsideWindow, PutOff: no source works
   */
  async fetch(plan: FetchPlan, run: Run, target: RunTarget): Promise<readonly Run[] | null> {
    const tried = new Set<string>();
    let current: FetchPlan | null = plan;
    let problem: Error | null = null;
    while (current && current.round === plan.round) {
      const [missing] = missingRuns(current.verified, plan.chunkCount, run);
      if (!missing) return current.verified;
      const left: readonly Source[] = (await this.sources.of(current)).filter(({ peerId }) => !tried.has(peerId));
      const source = choose(left, missing, bytesOf(plan, missing));
      if (!source && tried.size === 0) throw await this.sources.none(current);
      if (!source) return noneLeft(plan, current, problem);
      const { verified, ...outcome } = await this.attempt(current, source, left, missing, target);
      if (missingRuns(verified, plan.chunkCount, run).length === 0) return verified;
      target.signal.throwIfAborted();
      // Each turn brings the run to its end, a chunk further, or uses up a source.
      if (missingRuns(verified, plan.chunkCount, missing).length > 0) tried.add(source.peerId);
      // That a peer waits for the chunks itself says less than any other error.
      if (outcome.error && (!problem || problem instanceof PutOff)) problem = outcome.error;
      current = await this.commands.execute(new PlanFetch(plan.packageId));
    }
    return null;
  }

  private async attempt(plan: FetchPlan, source: Source, left: readonly Source[], run: Run, target: RunTarget) {
    const others = left.filter((other) => other !== source);
    if (has(source, run)) return this.attempts.make(plan, source, others, run, target);
    if (this.waiting >= MOST_WAITING) throw new PutOff();
    this.waiting += 1;
    try {
      return await this.attempts.make(plan, source, others, run, target);
    } finally {
      this.waiting -= 1;
    }
  }
}

/** A chunk that was rejected by all is fetched again later: see `refetchJob`. */
function noneLeft(before: FetchPlan, { filename, verified }: FetchPlan, problem: Error | null): readonly Run[] {
  if (problem instanceof ChunksPending) {
    // While others of the package come in, nothing holds it up.
    if (countOf(verified) > countOf(before.verified)) throw new PutOff();
    throw new ChunksPending(
      `The servers that can be asked for ${filename} fetch it themselves and wait for the rest of it.`,
    );
  }
  if (problem) throw problem;
  return verified;
}
