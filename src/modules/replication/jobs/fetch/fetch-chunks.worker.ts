import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { countOf, missingRuns, type Run } from '../../../../kernel/runs.js';
import { caused } from '../../../../platform/jobs/caused.js';
import { AsJobHandler } from '../../../../platform/jobs/job-handlers.js';
import { JobQueue, type JobHandler, type RunningJob } from '../../../../ports/job-queue.port.js';
import { PackageStorage } from '../../../../ports/package-storage.port.js';
import type { PeerContact } from '../../../../ports/peer-directory.port.js';
import { PeerTransport, type ChunkResult } from '../../../../ports/peer-transport.port.js';
import { PlanFetch, type FetchPlan } from '../../commands/progress/plan-fetch.command.js';
import { RecordChunks } from '../../commands/progress/record-chunks.command.js';
import { ChunkDigests } from '../chunk-digests.js';
import { Delays } from '../delays.js';
import { FETCH_CHUNKS, FetchChunks, laterJob, nextFetchJob } from './fetch-chunks.job.js';
import { publishJob } from '../publish/publish-replica.job.js';
import { RunningDigests } from '../publish/running-digests.js';
import { Sources } from '../sources.js';

/** Fetches what is missing of one run of chunks. An error is noted on the replica, and the queue tries again. */
@AsJobHandler()
@Injectable()
export class FetchChunksWorker implements JobHandler {
  readonly name = FETCH_CHUNKS;
  /** About two weeks; a peer that comes back, and a restart, wake the replica in any case. */
  readonly maxAttempts = 30_000;
  private readonly underWay = new Set<string>();

  constructor(
    private readonly commands: CommandBus,
    private readonly queue: JobQueue,
    private readonly storage: PackageStorage,
    private readonly transport: PeerTransport,
    private readonly sources: Sources,
    private readonly chunkDigests: ChunkDigests,
    private readonly runningDigests: RunningDigests,
    private readonly delays: Delays,
  ) {}

  async handle(job: RunningJob): Promise<void> {
    // A job that was woken while it runs would fetch the same bytes twice. It has taken over from that one, which may
    // fail or be of an earlier request, so it must not be lost.
    if (this.underWay.has(job.key)) return this.queue.enqueue([caused(laterJob(job, new Date()))]);
    this.underWay.add(job.key);
    try {
      await this.work(FetchChunks.parse(job.data), job);
    } finally {
      this.underWay.delete(job.key);
    }
  }

  private async work(order: FetchChunks, job: RunningJob): Promise<void> {
    const plan = await this.commands.execute(new PlanFetch(order.packageId));
    if (!plan) return;
    const missing = missingRuns(plan.verified, plan.chunkCount, order);
    const verified = missing.length === 0 ? plan.verified : await this.delays.noting(plan, () => this.fetch(plan, missing, job));
    if (verified) await this.goOn(order, plan, verified);
  }

  private async fetch(plan: FetchPlan, missing: readonly Run[], job: RunningJob): Promise<readonly Run[]> {
    const peer = await this.sources.pick(plan, job.attempt);
    const path = await this.storage.reserve(plan.packageId, plan.size);
    let verified = plan.verified;
    for (const run of missing) {
      const result = await this.fetchRun(plan, peer, path, run, job.signal);
      verified = await this.record(plan, peer, result);
      this.runningDigests.advance(plan, path, verified);
      if (result.error) throw result.error;
    }
    return verified;
  }

  private async fetchRun(plan: FetchPlan, peer: PeerContact, path: string, run: Run, signal: AbortSignal): Promise<ChunkResult> {
    const { packageId, size, chunkCount } = plan;
    const sha256 = await this.chunkDigests.of(packageId, chunkCount, run.first, run.count);
    return this.transport.fetchChunks(peer, { packageId, packageSize: size, run, sha256, path, signal });
  }

  private async record({ packageId, round, verified }: FetchPlan, peer: PeerContact, result: ChunkResult): Promise<readonly Run[]> {
    if (result.verified.length === 0 && result.rejected.length === 0) return verified;
    const from = { peerId: peer.peerId, peerName: peer.name };
    const arrival = { packageId, round, from, verified: result.verified, rejected: result.rejected };
    return this.commands.execute(new RecordChunks(arrival));
  }

  private async goOn(order: FetchChunks, { chunkCount }: FetchPlan, verified: readonly Run[]): Promise<void> {
    const next = order.lane ? nextFetchJob(order, verified, chunkCount) : null;
    if (next) await this.queue.enqueue([caused(next)]);
    else if (countOf(verified) === chunkCount) await this.queue.enqueue([caused(publishJob(order.packageId))]);
  }
}
