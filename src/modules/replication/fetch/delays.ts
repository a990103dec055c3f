import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { messageOf } from '../../../kernel/errors.js';
import { localTime, mayReceiveFrom } from '../../../kernel/transfer-policy.js';
import { JobQueue } from '../../../ports/job-queue.port.js';
import { StorageFull, StorageMissing } from '../../../ports/package-storage.port.js';
import type { PeerContact } from '../../../ports/peer-directory.port.js';
import { PeerUnreachable } from '../../../ports/peer-transport.port.js';
import { wakeReplicasJobsAt } from '../contracts/replica-jobs.js';
import { DelayReplica, type FetchPlan, PlanFetch } from './replica-progress.command.js';

/** All peers that have the package are outside their time windows. */
export class OutsideWindow extends Error {
  constructor(
    message: string,
    /** The time when the first time window opens. */
    readonly opensAt: Date,
  ) {
    super(message);
  }
}

/** An error about the peer whose time window opens first; null when no window of these peers opens by itself. */
export function findOutsideWindow(peers: readonly PeerContact[], now: Date): OutsideWindow | null {
  const openings = peers.flatMap(({ name, policy }) => {
    const { opensAt } = mayReceiveFrom(policy, now);
    return opensAt ? [{ name, opensAt }] : [];
  });
  const [first] = openings.toSorted((a, b) => a.opensAt.getTime() - b.opensAt.getTime());
  if (!first) return null;
  return new OutsideWindow(
    `No package is fetched from ${first.name} now. Its time window opens at ${localTime(first.opensAt)}.`,
    first.opensAt,
  );
}

/** No registered peer is known to have the package. */
export class NoSource extends Error {}

/** The fetch is postponed in favour of other work: the job has to run again in a moment. */
export class FetchPostponed extends Error {}

/** The only peers left are fetching the package themselves and do not have the chunks yet. */
export class ChunksPending extends FetchPostponed {}

/** A peer that is outside its time window is asked again after this time at the latest. */
const ASK_CLOSED_PEER_MS = 5 * 60_000;

/**
 * Codes with which a peer refuses this server until an administrator of the peer changes something, explained for the
 * administrator of this server. It is useless to ask again at once.
 */
const STANDING_REFUSALS: ReadonlyMap<string, string> = new Map([
  [
    'PEER_NOT_SERVED',
    'it sends nothing to this server. Its policy for this server is RECEIVE_ONLY; ask its administrator to change that',
  ],
  [
    'PEER_UNREGISTERED',
    'it has unregistered this server. Unregister it here too, or register again with an invitation',
  ],
  ['PEER_SUSPENDED', 'it has suspended the exchange with this server. Ask its administrator to resume it'],
]);

/** Explains a refusal that stands until an administrator of the peer acts; null for any other code. */
export const explainStandingRefusal = (code: string | null): string | null => STANDING_REFUSALS.get(code ?? '') ?? null;

interface Delay {
  readonly code: string;
  readonly reason: string;
}

/** Returns the delay that an error means for a replica, when its cause can disappear. Null for any other error. */
function delayOf(error: unknown, { filename }: FetchPlan): Delay | null {
  if (error instanceof OutsideWindow) return { code: 'OUTSIDE_WINDOW', reason: error.message };
  if (error instanceof PeerUnreachable) {
    if (error.code === 'OUTSIDE_WINDOW') return { code: 'OUTSIDE_WINDOW', reason: closedByPeer(error) };
    if (error.status === 404)
      return { code: 'PEER_LACKS_PACKAGE', reason: `${error.peerName} no longer has ${filename}.` };
    const refusal = explainStandingRefusal(error.code);
    return { code: 'PEER_UNREACHABLE', reason: refusal === null ? error.message : `${error.peerName}: ${refusal}.` };
  }
  if (error instanceof ChunksPending) return { code: 'CHUNKS_PENDING', reason: error.message };
  if (error instanceof NoSource) return { code: 'NO_SOURCE', reason: error.message };
  if (error instanceof StorageFull) {
    return {
      code: 'INSUFFICIENT_STORAGE',
      reason: `There is not enough free disk space for ${filename}${sizesOf(error)}. Free some space; the transfer then continues by itself.`,
    };
  }
  if (error instanceof StorageMissing) return { code: 'STORAGE_FAILS', reason: error.message };
  if (isSystemError(error)) {
    return {
      code: 'STORAGE_FAILS',
      reason: `The file of ${filename} cannot be written (${messageOf(error)}). Check the disk and the rights of the data folder; it is tried again and again.`,
    };
  }
  return null;
}

const sizesOf = ({ needed, free }: StorageFull): string =>
  needed === null || free === null ? '' : ` (${needed} bytes are needed, ${free} bytes are free)`;

/** True for an error of a file. Errors of connections are explained where the connection is. */
const isSystemError = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && !('address' in error);

/** The clock of the peer may be wrong, so the minute is exact enough. */
function closedByPeer({ peerName, retryAfterSeconds }: PeerUnreachable): string {
  const opens =
    retryAfterSeconds === null
      ? ''
      : ` Its time window opens at ${localTime(new Date(Date.now() + retryAfterSeconds * 1000))}.`;
  return `${peerName} sends no packages to this server now.${opens}`;
}

/**
 * When a job should run again that found only peers outside their time windows; null for any other error. A window of
 * ours is known to the second. A window of the peer may be changed there without notice.
 */
function openingAfter(error: unknown, { holders }: FetchPlan): Date | null {
  if (error instanceof OutsideWindow) return roundUp(error.opensAt.getTime(), 1_000);
  const isClosed = error instanceof PeerUnreachable && error.code === 'OUTSIDE_WINDOW';
  // The next try asks the other peers that have the package.
  if (!isClosed || holders.length > 1) return null;
  return roundUp(Date.now() + Math.min((error.retryAfterSeconds ?? Infinity) * 1000, ASK_CLOSED_PEER_MS), 60_000);
}

/** Rounds up, so that one job wakes all jobs that wait for the same opening. Never now: the queue's clock may be ahead of ours. */
const roundUp = (ms: number, step: number): Date => new Date(Math.ceil(Math.max(ms, Date.now() + 1_000) / step) * step);

/** Records on the replica why its jobs fail. */
@Injectable()
export class Delays {
  constructor(
    private readonly commands: CommandBus,
    private readonly queue: JobQueue,
  ) {}

  /**
   * Does the work. An error that an administrator can act on is recorded on the replica; every error is thrown again, with
   * two exceptions that give null: the work is no longer wanted, as after a withdrawal, which removes the file of running
   * jobs; or all sources are outside their time windows, and a job that wakes all replicas is due when one opens.
   */
  async runNotingDelay<T>(plan: FetchPlan, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      const now = await this.commands.execute(new PlanFetch(plan.packageId));
      if (now?.round !== plan.round) return null;
      const delay = delayOf(error, plan);
      if (delay)
        await this.commands.execute(
          new DelayReplica(plan.packageId, delay.code, delay.reason, plan.holders[0]?.peerId ?? null),
        );
      const opensAt = openingAfter(error, plan);
      if (!opensAt) throw error;
      await this.queue.enqueue(wakeReplicasJobsAt(opensAt));
      return null;
    }
  }
}
