import { EmbeddedDatabase } from '../../src/adapters/database/embedded/embedded-database.js';

/** A process that runs the embedded PostgreSQL of a folder until it is killed. */
const database = await EmbeddedDatabase.start(process.env['TEST_DATA_DIR'] ?? '');
process.stdout.write(`${JSON.stringify(database.settings)}\n`);
setInterval(() => undefined, 60_000);
