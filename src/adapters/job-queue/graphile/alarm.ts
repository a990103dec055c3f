import type { Pool } from 'pg';

/** The notification of Graphile Worker itself, which wakes `count` idle workers. */
const WAKE_WORKERS = `
WITH waiting AS (SELECT run_at FROM graphile_worker._private_jobs WHERE is_available),
due AS (SELECT count(*) AS count FROM waiting WHERE run_at <= now()),
told AS (SELECT pg_notify('jobs:insert', json_build_object('r', random(), 'count', count)::text) FROM due WHERE count > 0)
SELECT count(told) AS told, (SELECT extract(epoch FROM min(run_at) - now()) * 1000 FROM waiting WHERE run_at > now())::float8 AS next
FROM told`;

/** Wakes workers for the jobs that are due. Resolves with the milliseconds until the next job is due, or null. */
async function wakeWorkers(pool: Pool): Promise<number | null> {
  const { rows } = await pool.query<{ next: number | null }>(WAKE_WORKERS);
  return rows[0]?.next ?? null;
}

/** The longest timer. It limits how late a job starts when the clocks of the database and of this process differ. */
const MAX_TIMER_MS = 60_000;
/** This time is added to every timer, so that it does not ring before the job is due. */
const SLACK_MS = 2;

/** Wakes workers when a delayed job is due. Workers are only notified of new jobs, and they seldom poll. */
export class DueJobAlarm {
  private timer: NodeJS.Timeout | undefined;
  private due = Infinity;
  private stopped = false;

  constructor(private readonly pool: Pool) {}

  /** Announces that a job is due in `ms` milliseconds. */
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
    // While the database is unavailable, polling finds the jobs as soon as it is back.
    const next = await wakeWorkers(this.pool).catch(() => null);
    if (next !== null) this.ringIn(next);
  }
}
