import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { countOf, type Run } from '../../../../kernel/runs.js';
import type { PeerContact } from '../../../../ports/peer-directory.port.js';
import type { ChunkResult } from '../../../../ports/peer-transport.port.js';
import type { FetchPlan } from '../../commands/progress/plan-fetch.command.js';
import { RecordChunks } from '../../commands/progress/record-chunks.command.js';
import { RunningDigests } from '../publish/running-digests.js';

/** What comes of a slow run is recorded so often while it is under way: others can have it then, and a crash loses little. */
const STEP_MS = 1_000;

/** Records the chunks of a run. */
export interface RunArrivals {
  /** Chunks of the run that are verified so far; recorded at most once a second. */
  note(verified: readonly Run[]): void;
  /** The run has ended. Gives all runs of the replica that are verified now. */
  finish(result: ChunkResult): Promise<readonly Run[]>;
}

@Injectable()
export class Arrivals {
  constructor(
    private readonly commands: CommandBus,
    private readonly runningDigests: RunningDigests,
  ) {}

  /** For a run of a plan that begins now, from a peer into the staged file. */
  of(plan: FetchPlan, { peerId, name }: PeerContact, path: string): RunArrivals {
    const record = async ({
      verified,
      rejected,
    }: Pick<ChunkResult, 'verified' | 'rejected'>): Promise<readonly Run[]> => {
      if (verified.length === 0 && rejected.length === 0) return plan.verified;
      const arrival = {
        packageId: plan.packageId,
        round: plan.round,
        from: { peerId, peerName: name },
        verified,
        rejected,
      };
      const all = await this.commands.execute(new RecordChunks(arrival));
      this.runningDigests.advance(plan, path, all);
      return all;
    };
    let recordedAt = Date.now();
    let recorded = 0;
    let recording: Promise<unknown> = Promise.resolve();
    return {
      note: (verified) => {
        if (Date.now() - recordedAt < STEP_MS || countOf(verified) === recorded) return;
        recordedAt = Date.now();
        recorded = countOf(verified);
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
