// npm run audit:verify: verifies that the audit trail is as it was recorded. See src/cli/verify-audit.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(root, 'dist/src/cli/verify-audit/verify-audit.js')).href);
