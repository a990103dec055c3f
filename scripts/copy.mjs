// npm run events:copy: copies a whole log to another engine. See src/app/copy.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(root, 'dist/src/app/copy/copy.js')).href);
