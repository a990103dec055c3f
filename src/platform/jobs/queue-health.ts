import { Injectable, Logger } from '@nestjs/common';
import { pause } from '../../kernel/retry.js';
import { JobQueue, type QueueCounts } from '../../ports/job-queue.port.js';
import { AsBackgroundTask, type BackgroundTask } from '../runtime/background-tasks.js';
import { RunningProcesses } from './running-processes.js';

const CHECK_INTERVAL_MS = 5_000;
/**
 * After this time with due jobs but no running one, the queue counts as stuck. A running worker takes a job within one
 * second.
 */
const STUCK_AFTER_MS = 30_000;

const NO_WORKER_ADVICE =
  'Jobs are due, but no process takes them. Make sure that a process with ODST_ROLE=worker (or all) is running and can ' +
  'reach the database and the queue. Its log shows problems.';
const QUEUE_AWAY_ADVICE =
  'The job queue does not answer. Check the database, or Redis when REDIS_URL is set. The server continues by itself when the queue answers again.';

/**
 * The result of a check. `advice` tells an administrator what to do. `counts` is null while the queue does not answer.
 */
interface QueueFinding {
  readonly state: 'IDLE' | 'WORKING' | 'STUCK' | 'UNAVAILABLE';
  readonly advice: string | null;
  readonly counts: QueueCounts | null;
  /** True when the log tells it already. */
  readonly isLogged?: boolean;
}

/** Checks every 5 s whether the queue is stuck or unavailable, and logs it. Other callers can check at any time. */
@AsBackgroundTask({ name: 'queue health', phase: 'observe', roles: ['all', 'api', 'worker'] })
@Injectable()
export class QueueHealth implements BackgroundTask {
  private readonly logger = new Logger('Jobs');
  private vainSince: number | null = null;
  private logged: QueueFinding['state'] = 'IDLE';

  constructor(
    private readonly queue: JobQueue,
    private readonly processes: RunningProcesses,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await pause(CHECK_INTERVAL_MS, [signal]);
      if (signal.aborted) return;
      await this.checkQueue();
    }
  }

  /**
   * Checks the queue now, and logs a warning when it has become stuck or unavailable.
   * @param now is the time in milliseconds since 1970
   */
  async checkQueue(now = Date.now()): Promise<QueueFinding> {
    const finding = await this.findState(now);
    if (finding.advice !== null && !finding.isLogged && finding.state !== this.logged) this.logger.warn(finding.advice);
    if (finding.state !== 'STUCK' && this.logged === 'STUCK') this.logger.log('The job queue is working again');
    this.logged = finding.state;
    return finding;
  }

  private async findState(now: number): Promise<QueueFinding> {
    let counts: QueueCounts;
    try {
      counts = await this.queue.countJobs();
    } catch {
      return { state: 'UNAVAILABLE', advice: QUEUE_AWAY_ADVICE, counts: null };
    }
    const inVain = counts.due > 0 && counts.running === 0;
    this.vainSince = inVain ? (this.vainSince ?? now) : null;
    const noWorker = this.processes.findMissing().find(({ role }) => role === 'worker');
    if (noWorker) return { state: 'STUCK', advice: noWorker.words, counts, isLogged: true };
    if (this.vainSince !== null && now - this.vainSince >= STUCK_AFTER_MS)
      return { state: 'STUCK', advice: NO_WORKER_ADVICE, counts };
    return { state: counts.due + counts.running > 0 ? 'WORKING' : 'IDLE', advice: null, counts };
  }
}
