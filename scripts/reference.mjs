// npm run reference: writes schema.graphql, and docs/reference/errors.md, configuration.md and permissions.md, from the source. See src/cli/reference.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(root, 'dist/src/cli/reference/reference.js')).href);
