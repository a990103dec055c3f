import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { JobQueue } from '../../ports/job-queue.port.js';

const LOOK_INTERVAL_MS = 2_000;

/** Puts in the queue again what it held for a module. A repeat must change nothing. */
export type Refill = () => Promise<void>;

/**
 * Looks every 2 s, from `start` on, whether the queue was emptied, and has it filled again from the log. A refill that
 * fails is repeated at the next look; a start of the server fills the queue in any case.
 */
@Injectable()
export class QueueWatch implements OnModuleDestroy {
  private readonly logger = new Logger('Jobs');
  private readonly refills: Refill[] = [];
  private timer: NodeJS.Timeout | undefined;
  private look: Promise<void> = Promise.resolve();
  private wasEmptied = false;
  private stopped = false;

  constructor(private readonly queue: JobQueue) {}

  /** What to do when the queue was emptied. */
  onEmptied(refill: Refill): void {
    this.refills.push(refill);
  }

  /** Leaves the first mark: what was lost before is found again by the start itself. */
  async start(): Promise<void> {
    await this.queue.leaveMark().catch(() => false);
    this.next();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.look;
  }

  private next(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.look = this.lookOnce();
      void this.look.then(() => this.next());
    }, LOOK_INTERVAL_MS);
  }

  private async lookOnce(): Promise<void> {
    try {
      if (!(await this.queue.leaveMark())) this.wasEmptied = true;
      if (!this.wasEmptied) return;
      this.logger.warn('The job queue was emptied. Its work is found again from the log');
      for (const refill of this.refills) await refill();
      this.wasEmptied = false;
    } catch {
      // A queue that is away is reported by its engine, and looked at again.
    }
  }
}
