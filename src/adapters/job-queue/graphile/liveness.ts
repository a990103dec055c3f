import type { Client } from 'pg';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { KEPT_FAILED } from '../../../ports/job-queue.port.js';
import { PgSession } from '../../shared/pg-session.js';
import { MARK } from './job-table.js';

/** "odst" as a number. It is the first half of the lock keys that show which workers are alive. */
const LOCK_CLASS = 1_868_854_132;

/** Marks workers as alive for as long as this session lives. */
async function markAlive(session: Client, workers: readonly string[]): Promise<void> {
  await session.query('SELECT pg_advisory_lock_shared($1, hashtext(w)) FROM unnest($2::text[]) w', [
    LOCK_CLASS,
    workers,
  ]);
}

const UNLOCK_JOBS = `
SELECT graphile_worker.force_unlock_workers(array_agg(DISTINCT j.locked_by))
FROM graphile_worker._private_jobs j
WHERE j.locked_by <> ALL ($2::text[]) AND NOT EXISTS (
  SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
  WHERE l.locktype = 'advisory' AND d.datname = current_database()
    AND l.classid::bigint = $1 AND l.objid::bigint = hashtext(j.locked_by)::bigint & 4294967295)`;

/** Deletes jobs that were replaced while a worker ran them, and whose worker has died. */
const DELETE_REPLACED = 'DELETE FROM graphile_worker._private_jobs WHERE key IS NULL AND locked_at IS NULL';

/** Deletes failed jobs that are too old, and the oldest ones when there are too many. */
const DELETE_OLD_FAILED = `
DELETE FROM graphile_worker._private_jobs WHERE id IN (
  SELECT id FROM (
    SELECT id, flags->>'failedAt' AS failed_at, row_number() OVER (ORDER BY flags->>'failedAt' DESC) AS place
    FROM graphile_worker._private_jobs
    WHERE locked_at IS NULL AND attempts >= max_attempts AND key <> '${MARK}'
  ) failed
  WHERE place > ${KEPT_FAILED.jobs} OR failed_at::timestamptz < now() - interval '${KEPT_FAILED.days} days')`;

/** Frees the jobs of workers that have died. Graphile Worker itself would wait for 4 hours. */
async function freeDeadWorkers(session: Client, own: readonly string[]): Promise<void> {
  await session.query(UNLOCK_JOBS, [LOCK_CLASS, own]);
  await session.query(DELETE_REPLACED);
  await session.query(DELETE_OLD_FAILED);
}

const SWEEP_INTERVAL_MS = 5000;

/**
 * Keeps a session whose locks show that the workers of this process are alive. At the start and every 5 s, it also frees
 * the jobs of workers that have died. When the session is lost, it connects again and takes the locks again.
 */
export class Liveness {
  private workers: string[] = [];
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private readonly session: PgSession;

  constructor(
    settings: DatabaseSettings,
    /** Is called after each sweep, because freed jobs may be waiting. */
    private readonly onSwept: () => void,
  ) {
    this.session = new PgSession(settings, {
      name: 'odst job liveness',
      prepare: async (client) => {
        await markAlive(client, this.workers);
        await this.freeJobs(client);
      },
      onConnected: () => this.scheduleSweep(),
    });
  }

  /** Resolves after the first sweep, or when the database could not be reached. */
  async start(): Promise<void> {
    await this.session.keepConnected();
  }

  addWorker(worker: string): void {
    this.workers.push(worker);
    void this.session.use((client) => markAlive(client, [worker])).catch(() => undefined);
  }

  /** Is called when the workers have ended, perhaps with unfinished jobs. These jobs become free when the session ends. */
  forgetWorkers(): void {
    this.workers = [];
    this.session.restart();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.session.close();
  }

  private scheduleSweep(): void {
    if (this.stopped) return;
    this.onSwept();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.sweep(), SWEEP_INTERVAL_MS);
  }

  private async sweep(): Promise<void> {
    // Without a session there is nothing to do, because a new session begins with a sweep.
    if (!this.session.isConnected) return;
    await this.session.use((client) => this.freeJobs(client)).catch(() => undefined);
    if (this.session.isConnected) this.scheduleSweep();
  }

  /** Ignores errors, because the next sweep does the same work. */
  private async freeJobs(client: Client): Promise<void> {
    await freeDeadWorkers(client, this.workers).catch(() => undefined);
  }
}
