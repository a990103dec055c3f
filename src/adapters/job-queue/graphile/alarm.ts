import type { Pool } from 'pg';
import { wakeWorkers } from './sql/wake-workers.js';

/** Timers can't be set further ahead, and the clocks of the database and this process differ a little. */
const MAX_TIMER_MS = 60_000;
const SLACK_MS = 2;

/** Wakes workers when a delayed job is due: they hear of new jobs only, and poll seldom. */
export class Alarm {
  private timer: NodeJS.Timeout | undefined;
  private due = Infinity;
  private stopped = false;

  constructor(private readonly pool: Pool) {}

  /** A job will be due in so many milliseconds. */
  ringIn(ms: number): void {
    const due = Date.now() + Math.min(Math.max(ms, 0) + SLACK_MS, MAX_TIMER_MS);
    if (this.stopped || due >= this.due) return;
    clearTimeout(this.timer);
    this.due = due;
    this.timer = setTimeout(() => void this.ring(), due - Date.now());
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async ring(): Promise<void> {
    this.due = Infinity;
    // When the database is away, the workers' own polling finds the jobs once it is back.
    const next = await wakeWorkers(this.pool).catch(() => null);
    if (next !== null) this.ringIn(next);
  }
}
