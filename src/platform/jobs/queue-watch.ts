import { Injectable, Logger } from '@nestjs/common';
import { pause } from '../../kernel/retry.js';
import { JobQueue } from '../../ports/job-queue.port.js';
import { AsBackgroundTask, type BackgroundTask } from '../runtime/background-tasks.js';

const CHECK_INTERVAL_MS = 2_000;

/** Puts the jobs of a module in the queue again. A repeated call must change nothing. */
type Refill = () => Promise<void>;

/**
 * Checks every 2 s whether the queue was emptied, and calls the refills of the modules when it was. If a refill fails,
 * all of them are repeated at the next check. The start of a server fills the queue in any case.
 */
@AsBackgroundTask({ name: 'queue watch', phase: 'mark-queue', roles: ['all', 'worker'] })
@Injectable()
export class QueueWatch implements BackgroundTask {
  private readonly logger = new Logger('Jobs');
  private readonly refills: Refill[] = [];
  private wasEmptied = false;

  constructor(private readonly queue: JobQueue) {}

  /** Adds a refill that is called whenever the queue was emptied. */
  onEmptied(refill: Refill): void {
    this.refills.push(refill);
  }

  /** Leaves the first mark. Jobs that were lost before are put in the queue by the tasks that start after this one. */
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
      this.logger.warn('The job queue was emptied. The server finds the lost jobs again from the log');
      for (const refill of this.refills) await refill();
      this.wasEmptied = false;
    } catch {
      // The adapter of the queue reports that it is unavailable. The next check tries again.
    }
  }
}
