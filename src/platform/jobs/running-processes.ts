import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { pause } from '../../kernel/retry.js';
import { AsProblemSource, type Problem, type ProblemSource } from '../problems/problem-source.js';
import { AsBackgroundTask, type BackgroundTask } from '../runtime/background-tasks.js';
import { newId } from '../runtime/ids.js';
import { type ProcessRole, Settings } from '../runtime/settings.js';

const BEAT_INTERVAL_MS = 2_000;
/** A process that was not seen for this time does not run, or does nothing. */
export const MISSING_AFTER_MS = 10_000;
/** While this process cannot write that it runs, it does not judge whether others do. */
const CHECK_VALID_MS = 3 * BEAT_INTERVAL_MS;

/** What a server needs: a process that answers HTTP, and one that works in the background. */
export type NeededRole = Exclude<ProcessRole, 'all'>;

/** A role that no process of this server has. */
export interface MissingRole {
  readonly role: NeededRole;
  /** When a process with this role was seen last, or since when this process has looked for one. */
  readonly since: Date;
  /** What is missing, what does not happen therefore, and what to do. */
  readonly words: string;
}

const WORDS: Readonly<Record<NeededRole, string>> = {
  worker:
    'No process of this server works in the background: packages of peers are not fetched, peers are not watched, and no ' +
    'job runs. Start a process with ODST_ROLE=worker (or all), and make sure that it can reach the database and the queue. ' +
    'Its log shows problems.',
  api:
    'No process of this server answers HTTP: nobody can upload, download or sign in. Start a process with ODST_ROLE=api ' +
    '(or all), and make sure that it can reach the database. Its log shows problems.',
};

const DELETE_OLD = `DELETE FROM state.processes WHERE seen_at < now() - interval '1 day'`;
const BEAT = `
WITH own AS (
  INSERT INTO state.processes (id, role, seen_at) VALUES ($1, $2, now())
  ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, has_ended = false)
SELECT role, (date_part('epoch', now() - max(seen_at)) * 1000)::float8 AS "ageMs" FROM state.processes WHERE id <> $1 GROUP BY role`;
const END = 'UPDATE state.processes SET has_ended = true WHERE id = $1';

interface SeenRole {
  readonly role: ProcessRole;
  /** The time in milliseconds since a process with this role was seen. */
  readonly ageMs: number;
}

/**
 * Which processes of this server run. Each one writes every 2 s that it does. A role that nobody has is told in the log,
 * in `/health/ready`, in the state of the queue and among the problems.
 */
@AsBackgroundTask({ name: 'running processes', phase: 'observe', roles: ['all', 'api', 'worker'] })
@AsProblemSource()
@Injectable()
export class RunningProcesses implements BackgroundTask, ProblemSource {
  /** The id of this process. */
  readonly id = newId();
  private readonly logger = new Logger('Processes');
  /** Times of `performance.now()`. */
  private startedAt: number | null = null;
  private checkedAt = -Infinity;
  private readonly seenAt = new Map<NeededRole, number>();
  private isMissing = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly settings: Settings,
  ) {}

  async start(): Promise<void> {
    await this.dataSource.query(DELETE_OLD).catch(() => undefined);
    await this.beat();
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.beat();
      await pause(BEAT_INTERVAL_MS, [signal]);
    }
    // Without this, the others notice it a little later.
    await this.dataSource.query(END, [this.id]).catch(() => undefined);
  }

  /** Writes that this process runs, and looks which others do. It never fails: without a database, nothing is known. */
  async beat(now = performance.now()): Promise<void> {
    this.startedAt ??= now;
    try {
      const seen: readonly SeenRole[] = await this.dataSource.query(BEAT, [this.id, this.settings.role]);
      for (const { role, ageMs } of seen) for (const needed of rolesOf(role)) this.noteSeen(needed, now - ageMs);
      this.checkedAt = now;
    } catch (error) {
      this.logger.debug(`Cannot record that this process runs: ${String(error)}`);
    }
    this.logChange(now);
  }

  /** The role that no process has. Empty also while it cannot be found out. */
  findMissing(now = performance.now()): readonly MissingRole[] {
    const { startedAt } = this;
    if (startedAt === null || now - this.checkedAt > CHECK_VALID_MS) return [];
    const others = (['api', 'worker'] as const).filter((role) => !rolesOf(this.settings.role).includes(role));
    return others.flatMap((role) => {
      const seenAt = this.seenAt.get(role) ?? startedAt;
      // What was not seen before this process started may be starting, too.
      if (now - Math.max(seenAt, startedAt) < MISSING_AFTER_MS) return [];
      return { role, since: new Date(Date.now() - (now - seenAt)), words: WORDS[role] };
    });
  }

  findProblems(now = performance.now()): Promise<readonly Problem[]> {
    const problems = this.findMissing(now).map(({ role, since, words }) => {
      const [what = '', ...advice] = words.split(/(?<=\.) /);
      return {
        kind: 'ROLE_MISSING',
        what,
        where: `ODST_ROLE=${role}`,
        since,
        advice: advice.join(' '),
        count: 1,
        examples: [],
      };
    });
    return Promise.resolve(problems);
  }

  private noteSeen(role: NeededRole, at: number): void {
    this.seenAt.set(role, Math.max(at, this.seenAt.get(role) ?? -Infinity));
  }

  private logChange(now: number): void {
    const [missing] = this.findMissing(now);
    if (missing && !this.isMissing)
      this.logger.warn(`${missing.words} It was last seen at ${missing.since.toISOString()}.`);
    // While nothing can be found out, nothing has changed.
    if (!missing && this.isMissing && this.checkedAt === now) this.logger.log('Every role has a process again');
    this.isMissing = missing !== undefined || (this.isMissing && this.checkedAt !== now);
  }
}

const rolesOf = (role: ProcessRole): readonly NeededRole[] => (role === 'all' ? ['api', 'worker'] : [role]);
