import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { JobQueue, type QueueCounts } from '../../ports/job-queue.port.js';

const LOOK_INTERVAL_MS = 5_000;
/** Jobs that are due and not begun for so long wait in vain: a worker that lives takes one within a second. */
const STUCK_AFTER_MS = 30_000;

const NO_WORKER_ADVICE =
  'Jobs wait and no process takes them. Is a process with ODST_ROLE=worker (or all) running, and does it reach the ' +
  'database and the queue? Its log tells.';
const QUEUE_AWAY_ADVICE =
  'The job queue does not answer. Check the database, or Redis when REDIS_URL is set; work goes on by itself afterwards.';

/** What was found at one look. `counts` is null while the queue does not answer. */
export interface QueueFinding {
  readonly state: 'IDLE' | 'WORKING' | 'STUCK' | 'UNAVAILABLE';
  readonly advice: string | null;
  readonly counts: QueueCounts | null;
}

/** Looks every 5 s whether jobs wait in vain, for who asks and for the log. */
@Injectable()
export class QueueHealth implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Jobs');
  private timer: NodeJS.Timeout | undefined;
  private vainSince: number | null = null;
  private told: QueueFinding['state'] = 'IDLE';

  constructor(private readonly queue: JobQueue) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.look(), LOOK_INTERVAL_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  async look(now = Date.now()): Promise<QueueFinding> {
    const finding = await this.find(now);
    if (finding.advice !== null && finding.state !== this.told) this.logger.warn(finding.advice);
    if (finding.state !== 'STUCK' && this.told === 'STUCK') this.logger.log('The job queue gets on again');
    this.told = finding.state;
    return finding;
  }

  private async find(now: number): Promise<QueueFinding> {
    let counts: QueueCounts;
    try {
      counts = await this.queue.countJobs();
    } catch {
      return { state: 'UNAVAILABLE', advice: QUEUE_AWAY_ADVICE, counts: null };
    }
    const inVain = counts.due > 0 && counts.running === 0;
    this.vainSince = inVain ? (this.vainSince ?? now) : null;
    if (this.vainSince !== null && now - this.vainSince >= STUCK_AFTER_MS)
      return { state: 'STUCK', advice: NO_WORKER_ADVICE, counts };
    return { state: counts.due + counts.running > 0 ? 'WORKING' : 'IDLE', advice: null, counts };
  }
}
