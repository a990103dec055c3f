import { Controller, Get, HttpStatus, Injectable, Module, Res } from '@nestjs/common';
import type { Response } from 'express';
import { DataSource } from 'typeorm';
import { Directory } from '../../ports/directory.port.js';
import { EventStore } from '../../ports/event-store.port.js';
import { JobQueue } from '../../ports/job-queue.port.js';
import { Public } from '../access/needs.decorator.js';

type EngineState = 'ok' | 'unavailable';
const CHECK_TIMEOUT_MS = 3_000;

/** Asks each engine for something small, for three seconds at most. */
@Injectable()
class HealthChecks {
  constructor(
    private readonly dataSource: DataSource,
    private readonly eventStore: EventStore,
    private readonly jobQueue: JobQueue,
    private readonly directory: Directory,
  ) {}

  /** Null without one. Local accounts go on without it, so it is told and does not count. */
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

/** For load balancers and orchestrators; open to everybody, so it names engines and states only. */
@Controller('health')
@Public()
export class HealthController {
  constructor(private readonly checks: HealthChecks) {}

  /** The process runs. Does not depend on any engine. */
  @Get('live')
  live(): { status: string } {
    return { status: 'ok' };
  }

  /** Everything that is needed to serve answers: 200, else 503. */
  @Get('ready')
  async ready(@Res({ passthrough: true }) response: Response): Promise<object> {
    const [engines, directory] = await Promise.all([this.checks.checkEngines(), this.checks.checkDirectory()]);
    const ok = Object.values(engines).every((state) => state === 'ok');
    response.status(ok ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE);
    return { status: ok ? 'ok' : 'unavailable', engines, ...(directory !== null && { directory }) };
  }
}

@Module({ controllers: [HealthController], providers: [HealthChecks] })
export class HealthModule {}
