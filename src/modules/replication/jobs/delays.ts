import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { StorageFull } from '../../../ports/package-storage.port.js';
import { PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { DelayReplica } from '../commands/progress/delay-replica.command.js';
import { PlanFetch, type FetchPlan } from '../commands/progress/plan-fetch.command.js';
import { ChunksPending, NoSource } from './sources/no-source.js';

interface Delay {
  readonly code: string;
  readonly reason: string;
}

/** What holds a replica up and can be mended from outside; null for anything else. */
function delayOf(error: unknown, { filename }: FetchPlan): Delay | null {
  if (error instanceof PeerUnreachable) {
    if (error.status !== 404) return { code: 'PEER_UNREACHABLE', reason: error.message };
    return { code: 'PEER_LACKS_PACKAGE', reason: `${error.peerName} no longer has ${filename}.` };
  }
  if (error instanceof ChunksPending) return { code: 'CHUNKS_PENDING', reason: error.message };
  if (error instanceof NoSource) return { code: 'NO_SOURCE', reason: error.message };
  if (error instanceof StorageFull) {
    return { code: 'INSUFFICIENT_STORAGE', reason: `There is not enough free disk space for ${filename}. Free some: it goes on by itself.` };
  }
  return null;
}

/** Makes visible on the replica why its jobs fail. */
@Injectable()
export class Delays {
  constructor(private readonly commands: CommandBus) {}

  /**
   * Does the work; its error is noted when it is one that an administrator can do something about, and thrown on. Null
   * after an error of work that is no longer wanted: a withdrawal takes the file away from jobs that still run.
   */
  async noting<T>(plan: FetchPlan, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      const now = await this.commands.execute(new PlanFetch(plan.packageId));
      if (now?.round !== plan.round) return null;
      const delay = delayOf(error, plan);
      if (delay) await this.commands.execute(new DelayReplica(plan.packageId, delay.code, delay.reason, plan.holders[0]?.peerId ?? null));
      throw error;
    }
  }
}
