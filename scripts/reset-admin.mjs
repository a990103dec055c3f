// npm run accounts:reset-admin: gives the account admin a new password. See src/cli/admin.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(root, 'dist/src/cli/admin/reset-admin.js')).href);
