import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { StartupError } from '../../../kernel/startup-error.js';
import { Database, type DatabaseSettings } from '../../../ports/database.port.js';
import { errorCode, messageOf } from '../../shared/errors.js';
import { parseDatabaseUrl } from './database-url.js';

/** How long the database may take to answer at the start, in milliseconds: it may be starting beside us. */
const PATIENCE = 30_000;
const OLDEST = 140_000;
/** Wrong password, wrong user, no such database: waiting does not help. */
const FINAL = new Set(['28P01', '28000', '3D000']);

/** A PostgreSQL that somebody else runs (`DATABASE_URL`). */
export class ExternalDatabase extends Database {
  private constructor(readonly settings: DatabaseSettings) {
    super();
  }

  /** Waits until it answers, at most `patience` milliseconds. @throws StartupError */
  static async connect(url: string, patience = PATIENCE): Promise<ExternalDatabase> {
    const settings = parseDatabaseUrl(url);
    for (const deadline = Date.now() + patience; ; ) {
      try {
        await probe(settings, Math.max(1, deadline - Date.now()));
        return new ExternalDatabase(settings);
      } catch (error) {
        if (error instanceof StartupError) throw error;
        if (FINAL.has(errorCode(error) ?? '') || Date.now() >= deadline) throw unreachable(settings, error);
        await delay(250);
      }
    }
  }

  override async stop(): Promise<void> {
    // It is not ours.
  }
}

async function probe(settings: DatabaseSettings, timeout: number): Promise<void> {
  const client = new Client({ ...settings, connectionTimeoutMillis: timeout });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: number }>("SELECT current_setting('server_version_num')::int AS version");
    if ((rows[0]?.version ?? 0) < OLDEST) throw new StartupError('DATABASE_URL: PostgreSQL 14 or newer is needed');
  } finally {
    await client.end().catch(() => undefined);
  }
}

function unreachable({ host, port, database }: DatabaseSettings, error: unknown): StartupError {
  const reason = messageOf(error) || errorCode(error) || 'no answer';
  return new StartupError(`The database ${database} at ${host}:${port} (DATABASE_URL) cannot be used: ${reason}`, error);
}
