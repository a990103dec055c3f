import { StartupError } from '../../kernel/startup-error.js';
import { serverEvents } from '../../modules/server/contracts/server.events.js';
import type { EventStore } from '../../ports/event-store.port.js';

/** The server whose log it is. For tools. @throws StartupError when it was never started */
export async function readServerId(store: EventStore): Promise<string> {
  for await (const record of store.readStream('server')) {
    if (serverEvents.read(record)?.type === 'ServerInitialised') return record.metadata.serverId;
  }
  throw new StartupError('There is no server in this database: it was never started. Start it first.');
}
