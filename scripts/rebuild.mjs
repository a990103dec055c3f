// npm run projections:rebuild: builds the read models again from the log. See src/cli/admin.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(root, 'dist/src/cli/admin/rebuild.js')).href);
