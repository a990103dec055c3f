// npm run simulate: a mesh of many servers in memory, its messages, bytes and time. See test/simulate.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(root, 'dist/test/simulate/simulate.js')).href);
