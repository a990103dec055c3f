import { Controller, Get, HttpStatus, Injectable, Module, Res } from '@nestjs/common';
import type { Response } from 'express';
import { DataSource } from 'typeorm';
import { Directory } from '../../ports/directory.port.js';
import { EventStore } from '../../ports/event-store.port.js';
import { JobQueue } from '../../ports/job-queue.port.js';
import { Public } from '../access/needs.decorator.js';

type EngineState = 'ok' | 'unavailable';
const CHECK_TIMEOUT_MS = 3_000;

/** Checks each engine with a small request. An engine that does not answer within 3 s counts as unavailable. */
@Injectable()
class HealthChecks {
  constructor(
    private readonly dataSource: DataSource,
    private readonly eventStore: EventStore,
    private readonly jobQueue: JobQueue,
    private readonly directory: Directory,
  ) {}

  /**
   * Null when no directory is configured. Without it, local accounts still work, so its state does not affect `ready`.
   */
  async checkDirectory(): Promise<EngineState | null> {
    return this.directory.url === null ? null : stateWithinTimeout(this.directory.checkAccess());
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

function stateWithinTimeout(work: Promise<unknown>): Promise<EngineState> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('unavailable'), CHECK_TIMEOUT_MS);
    work
      .then(() => resolve('ok'))
      .catch(() => resolve('unavailable'))
      .finally(() => clearTimeout(timer));
  });
}

/**
 * The health endpoints for load balancers and orchestrators. Everybody may call them, so the answers contain only
 * engines and their states.
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

  /** Answers 200 when all engines that the server needs are available, and 503 otherwise. */
  @Get('ready')
  async ready(@Res({ passthrough: true }) response: Response): Promise<object> {
    const [engines, directory] = await Promise.all([this.checks.checkEngines(), this.checks.checkDirectory()]);
    const ok = Object.values(engines).every((state) => state === 'ok');
    response.status(ok ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE);
    return { status: ok ? 'ok' : 'unavailable', engines, ...(directory !== null && { directory }) };
  }
}

/** Serves the health endpoints. */
@Module({ controllers: [HealthController], providers: [HealthChecks] })
export class HealthModule {}
