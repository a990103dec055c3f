// npm run events:copy: copies a whole log to another engine. See src/cli/copy.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(root, 'dist/src/cli/copy/copy.js')).href);
