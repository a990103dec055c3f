import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { countChunks, type ChunkRange } from '../../../../kernel/runs.js';
import type { PeerContact } from '../../../../ports/peer-directory.port.js';
import type { ChunkResult } from '../../../../ports/peer-transport.port.js';
import type { FetchPlan } from '../../commands/progress/plan-fetch.command.js';
import { RecordChunks } from '../../commands/progress/record-chunks.command.js';
import { RunningDigests } from '../publish/running-digests.js';

/** What comes of a slow run is recorded so often while it is under way: others can have it then, and a crash loses little. */
const RECORD_INTERVAL_MS = 1_000;

/** Records the chunks of a run. */
export interface RangeArrivals {
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

  /** For a run of a plan that begins now, from a peer into the staged file. */
  beginRange(plan: FetchPlan, { peerId, name }: PeerContact, path: string): RangeArrivals {
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
      this.runningDigests.advance(plan, path, all);
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
