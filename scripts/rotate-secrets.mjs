// npm run secrets:rotate: encrypts the secrets under another key. See src/cli/admin.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(root, 'dist/src/cli/admin/rotate-secrets.js')).href);
