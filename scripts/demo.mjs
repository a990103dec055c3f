// npm run demo: two servers that replicate a package. See src/cli/demo.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(root, 'dist/src/cli/demo/demo.js')).href);
