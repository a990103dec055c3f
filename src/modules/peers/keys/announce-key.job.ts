import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { z } from 'zod';
import { AsJobHandler } from '../../../platform/jobs/job-runner.js';
import type { JobHandler, NewJob, RunningJob } from '../../../ports/job-queue.port.js';
import { Locks } from '../../../ports/locks.port.js';
import { AnnounceKey } from './announce-key.command.js';

const ANNOUNCE_KEY = 'announce-key';

const AnnounceKeyData = z.object({ peerId: z.string() });

/** Tells a peer of our last key, if it does not know it. */
export const announceKeyJob = (peerId: string): NewJob => ({
  name: ANNOUNCE_KEY,
  key: `${ANNOUNCE_KEY}:${peerId}`,
  data: { peerId },
  priority: 20,
});

/** Tells one peer of our last key, as often as it takes; one call at a time, as a later key must not be overtaken. */
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
    await this.locks.hold(job.key, job.signal, () => this.commands.execute(new AnnounceKey(peerId)));
    job.signal.throwIfAborted();
  }
}
