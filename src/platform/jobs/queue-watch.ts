import { Injectable, Logger } from '@nestjs/common';
import { pause } from '../../kernel/retry.js';
import { JobQueue } from '../../ports/job-queue.port.js';
import { AsBackgroundTask, type BackgroundTask } from '../runtime/background-tasks.js';

const CHECK_INTERVAL_MS = 2_000;

/** Puts in the queue again what it held for a module. A repeat must change nothing. */
type Refill = () => Promise<void>;

/**
 * Checks every 2 s whether the queue was emptied, and has it filled again from the log. A refill that fails is repeated
 * at the next check. The start of a server fills the queue in any case.
 */
@AsBackgroundTask({ name: 'queue watch', phase: 'mark-queue', roles: ['all', 'worker'] })
@Injectable()
export class QueueWatch implements BackgroundTask {
  private readonly logger = new Logger('Jobs');
  private readonly refills: Refill[] = [];
  private wasEmptied = false;

  constructor(private readonly queue: JobQueue) {}

  /** What to do when the queue was emptied. */
  onEmptied(refill: Refill): void {
    this.refills.push(refill);
  }

  /** Leaves the first mark: the tasks that start after this one find what was lost before. */
  async start(): Promise<void> {
    await this.queue.leaveMark().catch(() => false);
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await pause(CHECK_INTERVAL_MS, [signal]);
      if (signal.aborted) return;
      await this.checkMark();
    }
  }

  private async checkMark(): Promise<void> {
    try {
      if (!(await this.queue.leaveMark())) this.wasEmptied = true;
      if (!this.wasEmptied) return;
      this.logger.warn('The job queue was emptied. Its work is found again from the log');
      for (const refill of this.refills) await refill();
      this.wasEmptied = false;
    } catch {
      // The engine reports a queue that is unavailable. The next check follows.
    }
  }
}
