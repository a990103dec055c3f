import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { AsJobHandler } from '../../../platform/jobs/job-runner.js';
import type { JobHandler, NewJob, RunningJob } from '../../../ports/job-queue.port.js';
import { Locks } from '../../../ports/locks.port.js';
import { AnnounceKey } from './announce-key.command.js';

const ANNOUNCE_KEY = 'announce-key';

const AnnounceKeyData = z.object({ peerId: z.string() });

/** The job that announces the current key of this server to one peer. */
export const announceKeyJob = (peerId: string): NewJob => ({
  name: ANNOUNCE_KEY,
  key: `${ANNOUNCE_KEY}:${peerId}`,
  data: { peerId },
  priority: 20,
});

/** Announces the current key to one peer until it succeeds. A lock allows one call at a time, so that an older key cannot arrive after a newer one. */
@AsJobHandler()
@Injectable()
export class AnnounceKeyWorker implements JobHandler {
  readonly name = ANNOUNCE_KEY;
  readonly maxAttempts = 30_000;

  constructor(
    private readonly commands: CommandBus,
    private readonly locks: Locks,
  ) {}

  async handle(job: RunningJob): Promise<void> {
    const { peerId } = AnnounceKeyData.parse(job.data);
    await this.locks.hold(job.key, () => this.commands.execute(new AnnounceKey(peerId)), { signal: job.signal });
    job.signal.throwIfAborted();
  }
}
