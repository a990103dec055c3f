import { Injectable } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { AsJobHandler } from '../../../platform/jobs/job-handlers.js';
import type { JobHandler, RunningJob } from '../../../ports/job-queue.port.js';
import { Locks } from '../../../ports/locks.port.js';
import { AnnounceKey } from '../commands/keys/announce-key.command.js';
import { ANNOUNCE_KEY, AnnounceKeyData } from './announce-key.job.js';

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
