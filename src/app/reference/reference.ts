import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { permissionsPage } from './permissions-page.js';
import { configurationPage, errorsPage } from './print-reference.js';

await writeFile('docs/reference/errors.md', errorsPage());
await writeFile('docs/reference/configuration.md', configurationPage());
await writeFile('docs/reference/permissions.md', await permissionsPage());
