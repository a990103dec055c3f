import type { Pool } from 'pg';

/** Graphile Worker's own notification, by which it wakes as many idle workers as `count` says. */
const WAKE_WORKERS = `
WITH waiting AS (SELECT run_at FROM graphile_worker._private_jobs WHERE is_available),
due AS (SELECT count(*) AS count FROM waiting WHERE run_at <= now()),
told AS (SELECT pg_notify('jobs:insert', json_build_object('r', random(), 'count', count)::text) FROM due WHERE count > 0)
SELECT count(told) AS told, (SELECT extract(epoch FROM min(run_at) - now()) * 1000 FROM waiting WHERE run_at > now())::float8 AS next
FROM told`;

/** Wakes workers for the jobs that are due. Milliseconds until the next one will be, null when there is none. */
async function wakeWorkers(pool: Pool): Promise<number | null> {
  const { rows } = await pool.query<{ next: number | null }>(WAKE_WORKERS);
  return rows[0]?.next ?? null;
}

/** Timers can't be set further ahead, and the clocks of the database and this process differ a little. */
const MAX_TIMER_MS = 60_000;
const SLACK_MS = 2;

/** Wakes workers when a delayed job is due: they hear of new jobs only, and poll seldom. */
export class DueJobAlarm {
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
    this.timer = setTimeout(() => void this.wakeDueWorkers(), due - Date.now());
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async wakeDueWorkers(): Promise<void> {
    this.due = Infinity;
    // When the database is away, the workers' own polling finds the jobs once it is back.
    const next = await wakeWorkers(this.pool).catch(() => null);
    if (next !== null) this.ringIn(next);
  }
}
