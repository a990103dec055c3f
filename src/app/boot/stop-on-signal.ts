import type { INestApplication, LoggerService } from '@nestjs/common';
import { EventStore } from '../../ports/event-store.port.js';
import { JobQueue } from '../../ports/job-queue.port.js';
import type { Database } from '../../ports/database.port.js';

/** Work that has not ended by then is cut off; it is crash-safe. */
const PATIENCE_MS = 20_000;

/** SIGINT and SIGTERM end the server in order: requests, jobs, projections, engines, database. A second one ends it at once. */
export function stopOnSignal(app: INestApplication, database: Database, logger: LoggerService): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(130);
    stopping = true;
    logger.log('Stopping', 'Server');
    const timer = setTimeout(() => process.exit(1), PATIENCE_MS);
    void shutDown(app, database)
      .catch((error: unknown) => logger.error(`Stopping was not orderly: ${String(error)}`, 'Server'))
      .finally(() => {
        clearTimeout(timer);
        process.exit(0);
      });
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

async function shutDown(app: INestApplication, database: Database): Promise<void> {
  const queue = app.get(JobQueue);
  const store = app.get(EventStore);
  try {
    await queue.stop();
    await app.close();
    await store.close();
  } finally {
    await database.stop();
  }
}
