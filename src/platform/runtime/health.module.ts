import { Controller, Get, HttpStatus, Injectable, Module, Res } from '@nestjs/common';
import type { Response } from 'express';
import { DataSource } from 'typeorm';
import { Directory } from '../../ports/directory.port.js';
import { EventStore } from '../../ports/event-store.port.js';
import { JobQueue } from '../../ports/job-queue.port.js';
import { messageOf } from '../../kernel/errors.js';
import { PackageStorage } from '../../ports/package-storage.port.js';
import { FailingReaders } from '../failures/failing-readers.js';
import { type MissingRole, RunningProcesses } from '../jobs/running-processes.js';
import { presentCauses } from '../http/errors/public-error.js';
import { findFileShortage, findFullDisk } from './host-resources.js';
import { Settings } from './settings.js';
import { ProjectionProgress } from '../failures/projection-progress.js';
import { UnprocessableEvents } from '../failures/unprocessable-events.js';
import { Public } from '../access/needs.decorator.js';

type EngineState = 'ok' | 'unavailable';
const READ_ONLY = 'The database is read-only, so nothing can be changed.';
const CHECK_TIMEOUT_MS = 3_000;

/** Checks each engine with a small request. An engine that does not answer within 3 s counts as unavailable. */
@Injectable()
class HealthChecks {
  constructor(
    private readonly dataSource: DataSource,
    private readonly eventStore: EventStore,
    private readonly jobQueue: JobQueue,
    private readonly directory: Directory,
    private readonly progress: ProjectionProgress,
    private readonly unprocessable: UnprocessableEvents,
    private readonly failing: FailingReaders,
    private readonly settings: Settings,
    private readonly storage: PackageStorage,
    private readonly processes: RunningProcesses,
  ) {}

  /** Roles that no process of this server has. */
  findMissingRoles(): readonly MissingRole[] {
    return this.processes.findMissing();
  }

  /** Tasks and readers of this process that fail again and again. */
  findFailing(): readonly string[] {
    return this.failing.list().map(({ reader }) => reader);
  }

  /** Null while it cannot be found out, because an engine does not answer. */
  async checkProjections(): Promise<ProjectionsState | null> {
    try {
      const [standing, unprocessableEvents] = await withinTimeout(
        Promise.all([this.progress.findStanding(), this.unprocessable.count()]),
      );
      return { standingStill: standing.map(({ name }) => name), unprocessableEvents };
    } catch {
      return null;
    }
  }

  /**
   * Null when no directory is configured. Without it, local accounts still work, so its state does not affect `ready`.
   */
  async checkDirectory(): Promise<EngineState | null> {
    return this.directory.url === null ? null : stateWithinTimeout(this.directory.checkAccess());
  }

  /** Reasons for which this process cannot do its work although its engines answer, each in one sentence. */
  async findReasons(): Promise<readonly string[]> {
    const { databaseUrl, dataDir } = this.settings;
    const found = await Promise.all([
      withinTimeout(this.findReadOnly()).catch(() => null),
      findFileShortage(),
      databaseUrl === null ? findFullDisk(dataDir) : null,
      this.storage.checkPlace().then(
        () => null,
        (error: unknown) => messageOf(error),
      ),
    ]);
    return [...new Set([...found.filter((reason) => reason !== null), ...presentCauses()])];
  }

  private async findReadOnly(): Promise<string | null> {
    const rows: { readOnly: string }[] = await this.dataSource.query(
      `SELECT current_setting('transaction_read_only') AS "readOnly"`,
    );
    return rows[0]?.readOnly === 'on' ? READ_ONLY : null;
  }

  async checkEngines(): Promise<Record<'readModels' | 'eventStore' | 'jobQueue', EngineState>> {
    const [readModels, eventStore, jobQueue] = await Promise.all([
      stateWithinTimeout(this.dataSource.query('SELECT 1')),
      stateWithinTimeout(this.eventStore.head()),
      stateWithinTimeout(this.jobQueue.countJobs()),
    ]);
    return { readModels, eventStore, jobQueue };
  }
}

/** Whether the read models follow the log. */
interface ProjectionsState {
  /** The names of the projections that do not follow it any more. */
  readonly standingStill: readonly string[];
  /** The number of events that were recorded as unprocessable. The readers go on without them. */
  readonly unprocessableEvents: number;
}

async function stateWithinTimeout(work: Promise<unknown>): Promise<EngineState> {
  try {
    await withinTimeout(work);
    return 'ok';
  } catch {
    return 'unavailable';
  }
}

function withinTimeout<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('No answer in time')), CHECK_TIMEOUT_MS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/**
 * The health endpoints for load balancers and orchestrators. Everybody may call them, so the answers contain only
 * the states of engines and projections.
 */
@Controller('health')
@Public()
class HealthController {
  constructor(private readonly checks: HealthChecks) {}

  /** Answers 200 as long as the process runs, whatever the state of the engines is. */
  @Get('live')
  live(): { status: string } {
    return { status: 'ok' };
  }

  /**
   * Answers 200 when all engines that the server needs are available and all projections follow the log, and 503
   * otherwise. `reasons` say why, when engines answer and the process still cannot work: a read-only database, a full disk,
   * too many open files, packages that are not mounted. `failing` names tasks that fail again and again. Unprocessable events
   * are counted, and do not make it 503: the server works without them. Neither does a role that no process has: downloads
   * go on without a worker. The status is then `degraded`, and `missingRoles` and `warnings` say why.
   */
  @Get('ready')
  async ready(@Res({ passthrough: true }) response: Response): Promise<object> {
    const [engines, directory, projections, reasons] = await Promise.all([
      this.checks.checkEngines(),
      this.checks.checkDirectory(),
      this.checks.checkProjections(),
      this.checks.findReasons(),
    ]);
    const failing = this.checks.findFailing();
    const isMoving = projections === null || projections.standingStill.length === 0;
    const ok = isMoving && reasons.length === 0 && Object.values(engines).every((state) => state === 'ok');
    const missing = this.checks.findMissingRoles();
    response.status(ok ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE);
    return {
      status: statusOf(ok, missing),
      engines,
      projections,
      ...(directory !== null && { directory }),
      ...(reasons.length > 0 && { reasons }),
      ...(failing.length > 0 && { failing }),
      ...(missing.length > 0 && {
        missingRoles: missing.map(({ role }) => role),
        warnings: missing.map(({ words }) => words),
      }),
    };
  }
}

function statusOf(ok: boolean, missing: readonly MissingRole[]): 'ok' | 'degraded' | 'unavailable' {
  if (!ok) return 'unavailable';
  return missing.length > 0 ? 'degraded' : 'ok';
}

/** Serves the health endpoints. */
@Module({ controllers: [HealthController], providers: [HealthChecks] })
export class HealthModule {}
