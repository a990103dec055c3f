import { Client } from 'pg';
import { backoffMs } from '../../../kernel/retry.js';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { KEPT_FAILED } from '../../../ports/job-queue.port.js';
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
 * A session whose locks say that the workers of this process are alive, and that frees what dead ones held: at the
 * start and every 5 s. After it was lost it comes back, and says so again.
 */
export class Liveness {
  private workers: string[] = [];
  private session: Client | null = null;
  private timer: NodeJS.Timeout | undefined;
  private turn: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly settings: DatabaseSettings,
    /** Called after each sweep: freed jobs may be waiting. */
    private readonly onSwept: () => void,
  ) {}

  async start(): Promise<void> {
    await this.connect(1);
  }

  add(worker: string): void {
    this.workers.push(worker);
    void this.inTurn(async (session) => markAlive(session, [worker])).catch(() => undefined);
  }

  /** The workers so far have ended, maybe with jobs in hand: without the session, those are free. It comes back. */
  forget(): void {
    this.workers = [];
    void this.session?.end().catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.session?.end().catch(() => undefined);
  }

  private async connect(attempt: number): Promise<void> {
    const session = new Client({
      ...this.settings,
      application_name: 'odst job liveness',
      keepAlive: true,
      connectionTimeoutMillis: 5000,
    });
    session.on('error', () => undefined);
    try {
      await session.connect();
      session.once('end', () => this.lost());
      this.session = session;
      await this.inTurn(() => markAlive(session, this.workers));
      await this.sweep();
    } catch {
      void session.end().catch(() => undefined);
      if (this.session !== session) this.later(attempt);
    }
  }

  private async sweep(): Promise<void> {
    // A sweep that fails is made up for by the next one.
    await this.inTurn((session) => freeDeadWorkers(session, this.workers)).catch(() => undefined);
    if (this.stopped || !this.session) return;
    this.onSwept();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.sweep(), SWEEP_INTERVAL_MS);
  }

  /** One query at a time; none while the session is away, since on its return all is said anew. */
  private inTurn(work: (session: Client) => Promise<void>): Promise<void> {
    const { session } = this;
    if (!session) return Promise.resolve();
    const turn = this.turn.then(() => work(session));
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  private lost(): void {
    this.session = null;
    this.later(1);
  }

  private later(attempt: number): void {
    clearTimeout(this.timer);
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.connect(attempt + 1), backoffMs(attempt, 50, 5000, Math.random()));
  }
}
