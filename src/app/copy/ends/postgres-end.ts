import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolder } from '../../../adapters/database/embedded/cluster.js';
import { EmbeddedDatabase } from '../../../adapters/database/embedded/embedded-database.js';
import { runningSettings } from '../../../adapters/database/embedded/running.js';
import { ExternalDatabase } from '../../../adapters/database/external/external-database.js';
import { PostgresEventStore } from '../../../adapters/event-store/postgres/postgres-event-store.js';
import { StartupError } from '../../../kernel/startup-error.js';
import type { DatabaseSettings } from '../../../ports/database.port.js';
import { migrate } from '../../database/migrate.js';
import { groupAppends } from '../log/appends.js';
import { checkSchema } from './check-schema.js';
import type { Endpoint } from './end.js';
import type { Flag, LogLocation } from './place.js';

/** How long a database may take to answer, in milliseconds. */
const DATABASE_TIMEOUT_MS = 5000;

type EmbeddedLocation = Extract<LogLocation, { engine: 'embedded' }>;

/** A PostgreSQL that somebody else runs. @throws StartupError */
export async function openExternal(place: LogLocation & { url: string }): Promise<Endpoint> {
  const { settings } = await ExternalDatabase.connect(place.url, { patience: DATABASE_TIMEOUT_MS }).catch(
    (error: unknown) => explainOpenError(place.flag, error),
  );
  if (place.flag === '--to') await migrate(settings).catch((error: unknown) => explainOpenError(place.flag, error));
  else await checkSchema(settings, place.label);
  return makeEndpoint(settings, place.label, async () => undefined);
}

/**
 * The PostgreSQL of a data folder. As a source it may be that of a running server; as a target it is started here, which
 * is refused when a server holds it. @throws StartupError
 */
export async function openEmbedded({ flag, folder, label }: EmbeddedLocation): Promise<Endpoint> {
  if (flag === '--from' && !existsSync(dataFolder(join(folder, 'postgres')))) {
    throw new StartupError(`--from: ${folder} holds no embedded PostgreSQL. Name the data folder of a server.`);
  }
  const running = flag === '--from' ? await runningSettings(folder) : null;
  if (running) {
    await checkSchema(running, label);
    return makeEndpoint(running, label, async () => undefined);
  }
  const database = await EmbeddedDatabase.start(folder).catch((error: unknown) => explainOpenError(flag, error));
  try {
    await migrate(database.settings);
  } catch (error) {
    await database.stop();
    throw error;
  }
  return makeEndpoint(database.settings, label, () => database.stop());
}

function makeEndpoint(database: DatabaseSettings, label: string, stop: () => Promise<void>): Endpoint {
  const store = new PostgresEventStore(database);
  return {
    label,
    store,
    database,
    write: (events) => store.appendTogether(groupAppends(events)),
    close: async () => {
      await store.close();
      await stop();
    },
  };
}

/** These parts of the program know the places by the names of the server's settings. */
function explainOpenError(flag: Flag, error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  throw new StartupError(`${flag}: ${message.replace(' (DATABASE_URL)', '').replace(/^DATABASE_URL:? /, '')}`, error);
}
