// npm run schema: writes schema.graphql from the resolvers. See src/cli/reference.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(root, 'dist/src/cli/reference/schema.js')).href);
