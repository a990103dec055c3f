import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { EmbeddedDatabase } from '../../src/adapters/database/embedded/embedded-database.js';
import type { DatabaseSettings } from '../../src/ports/database.port.js';

declare module 'vitest' {
  interface ProvidedContext {
    postgres: DatabaseSettings;
  }
}

/** What is lost in a power failure does not matter here, time does. */
const FAST = { fsync: 'off', full_page_writes: 'off', max_connections: '300' };

/** One embedded PostgreSQL for all specs of the project; each spec makes databases of its own in it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'odst-test-'));
  const database = await EmbeddedDatabase.start(folder, { settings: FAST });
  project.provide('postgres', database.settings);
  return async () => {
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  };
}
