import { Controller, Get, HttpStatus, Res } from '@nestjs/common';
import type { Response } from 'express';
import { Public } from '../auth/public.decorator.js';
import { HealthChecks } from './health-checks.js';

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
