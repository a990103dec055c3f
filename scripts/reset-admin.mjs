// npm run accounts:reset-admin: gives the account admin a new password. See src/app/accounts.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(root, 'dist/src/app/accounts/reset-admin.js')).href);
