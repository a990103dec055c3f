import { Logger, type INestApplication } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { BackgroundTasks } from '../../platform/runtime/background-tasks.js';
import { Database } from '../../ports/database.port.js';
import { EventStore } from '../../ports/event-store.port.js';
import { Locks } from '../../ports/locks.port.js';
import { readModelsAreOutdated, rebuildReadModels } from './read-models.js';

/** Starts the work that does not depend on a request. */
export async function startWork(app: INestApplication): Promise<void> {
  renewReadModels(app);
  await app.get(BackgroundTasks).start();
}

/** When the projections have another version, builds their rows beside the old ones, which are shown until this is done. */
function renewReadModels(app: INestApplication): void {
  const logger = new Logger('Projections');
  const renew = async () => {
    if (!(await readModelsAreOutdated(app.get(DataSource)))) return;
    logger.log('The read models are of another version. The server builds them again');
    await rebuildReadModels(app.get(Database).settings, app.get(EventStore), app.get(Locks), { onlyOutdated: true });
    logger.log('The read models were built again');
  };
  renew().catch((error: unknown) =>
    logger.error(`The read models could not be built again and stay as they are: ${String(error)}`),
  );
}
