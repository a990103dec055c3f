// npm run bench: every figure as a ratio against something real in the same run. See test/bench.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(root, 'dist/test/bench/bench.js')).href);
