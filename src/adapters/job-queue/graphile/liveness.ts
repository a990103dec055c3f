import type { Client } from 'pg';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { KEPT_FAILED } from '../../../ports/job-queue.port.js';
import { PgSession } from '../../shared/pg-session.js';
import { MARK } from './job-table.js';

/** "odst" as a number: the first half of the lock keys by which live workers are known. */
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

/** Replaced while they ran, by a worker that died. */
const DELETE_REPLACED = 'DELETE FROM graphile_worker._private_jobs WHERE key IS NULL AND locked_at IS NULL';

/** Failed jobs that are too old, or too many. */
const DELETE_OLD_FAILED = `
DELETE FROM graphile_worker._private_jobs WHERE id IN (
  SELECT id FROM (
    SELECT id, flags->>'failedAt' AS failed_at, row_number() OVER (ORDER BY flags->>'failedAt' DESC) AS place
    FROM graphile_worker._private_jobs
    WHERE locked_at IS NULL AND attempts >= max_attempts AND key <> '${MARK}'
  ) failed
  WHERE place > ${KEPT_FAILED.jobs} OR failed_at::timestamptz < now() - interval '${KEPT_FAILED.days} days')`;

/** Frees the jobs of workers that are gone without a word; Graphile Worker itself would wait for 4 hours. */
async function freeDeadWorkers(session: Client, own: readonly string[]): Promise<void> {
  await session.query(UNLOCK_JOBS, [LOCK_CLASS, own]);
  await session.query(DELETE_REPLACED);
  await session.query(DELETE_OLD_FAILED);
}

const SWEEP_INTERVAL_MS = 5000;

/**
 * A session whose locks say that the workers of this process are alive, and that frees the jobs of dead ones: at the
 * start and every 5 s. After it was lost it comes back, and takes the locks again.
 */
export class Liveness {
  private workers: string[] = [];
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private readonly session: PgSession;

  constructor(
    settings: DatabaseSettings,
    /** Called after each sweep: freed jobs may be waiting. */
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

  /** The workers so far have ended, maybe with jobs in hand: once their session has ended, these jobs are free. */
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
    // Without a session, the sweep follows as soon as there is a new one.
    if (!this.session.isConnected) return;
    await this.session.use((client) => this.freeJobs(client)).catch(() => undefined);
    if (this.session.isConnected) this.scheduleSweep();
  }

  /** A sweep that fails is made up for by the next one. */
  private async freeJobs(client: Client): Promise<void> {
    await freeDeadWorkers(client, this.workers).catch(() => undefined);
  }
}
