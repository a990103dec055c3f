import { parseArgs } from 'node:util';
import { readFileSync } from 'node:fs';
import { EventStoreDbServer } from './eventstoredb-server.js';

/**
 * The server as a process of its own, until it is killed:
 * `node --import ./test/support/typescript/register.mjs test/support/eventstoredb/main.ts --port 2113 --file /tmp/log`.
 * Arguments can come from the environment too (ESDB_PORT, ESDB_FILE, …). Says where it listens in one line of JSON.
 */
const text = (name: string) => ({ type: 'string', default: process.env[`ESDB_${name}`] ?? '' }) as const;
const { values } = parseArgs({
  options: {
    port: text('PORT'),
    file: text('FILE'),
    cert: text('CERT'),
    key: text('KEY'),
    user: text('USER'),
    password: text('PASSWORD'),
  },
});
const { file, cert, key, user, password } = values;

const server = await EventStoreDbServer.start({
  port: Number(values.port || 0),
  dataFile: file || undefined,
  tls: cert && key ? { cert: readFileSync(cert), key: readFileSync(key) } : undefined,
  user: user ? { name: user, password } : undefined,
});
process.stdout.write(`${JSON.stringify({ port: server.port, url: server.url })}\n`);
