import type { LoggerService } from '@nestjs/common';
import { EmbeddedDatabase } from '../../adapters/database/embedded/embedded-database.js';
import { ExternalDatabase } from '../../adapters/database/external/external-database.js';
import type { Settings } from '../../platform/config/settings.js';
import type { Database } from '../../ports/database.port.js';

/** The PostgreSQL of DATABASE_URL, else the embedded one in the data folder. @throws StartupError */
export function startDatabase(settings: Settings, logger: LoggerService): Promise<Database> {
  const warn = (message: string): void => logger.warn(message, 'Database');
  if (settings.databaseUrl !== null) return ExternalDatabase.connect(settings.databaseUrl, { onWaiting: warn });
  return EmbeddedDatabase.start(settings.dataDir, { onEvent: warn });
}
