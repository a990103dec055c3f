// npm run schema: writes schema.graphql from the resolvers. See src/app/reference.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
await import(pathToFileURL(join(root, 'dist/src/app/reference/schema.js')).href);
