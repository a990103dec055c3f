import { once } from 'node:events';
import { createServer } from 'node:net';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { StartupError } from '../../kernel/startup-error.js';

const REASONS: Readonly<Record<string, (port: number) => string>> = {
  EADDRINUSE: (port) => `Port ${port} is in use. Stop what uses it, or set PORT to another one.`,
  EACCES: (port) => `This user may not listen on port ${port}. Set PORT to one above 1023, or run behind a proxy.`,
};

function explained(error: unknown, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = REASONS[code];
  return reason ? new StartupError(reason(port), { cause: error }) : error;
}

/** Found out before the database starts, which takes a moment. @throws StartupError */
export async function refuseTakenPort(port: number): Promise<void> {
  const probe = createServer();
  try {
    probe.listen(port);
    await once(probe, 'listening');
  } catch (error) {
    throw explained(error, port);
  }
  probe.close();
  await once(probe, 'close');
}

/** @throws StartupError */
export async function listen(app: NestExpressApplication, port: number): Promise<void> {
  try {
    await app.listen(port);
  } catch (error) {
    throw explained(error, port);
  }
}
