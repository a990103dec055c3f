import { EmbeddedDatabase } from '../../adapters/database/embedded/embedded-database.js';
import { runningSettings } from '../../adapters/database/embedded/running.js';
import { ExternalDatabase } from '../../adapters/database/external/external-database.js';
import type { Settings } from '../../platform/config/settings.js';
import type { DatabaseSettings } from '../../ports/database.port.js';
import { migrate } from './migrate.js';

/** The database of the running server, or one that is started for the purpose. For tools. @throws StartupError */
export async function withDatabase(
  settings: Settings,
  work: (database: DatabaseSettings) => Promise<void>,
): Promise<void> {
  if (settings.databaseUrl !== null) return work((await ExternalDatabase.connect(settings.databaseUrl)).settings);
  const running = await runningSettings(settings.dataDir);
  if (running) return work(running);
  const database = await EmbeddedDatabase.start(settings.dataDir);
  try {
    await migrate(database.settings);
    await work(database.settings);
  } finally {
    await database.stop();
  }
}
