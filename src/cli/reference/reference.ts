import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { renderPermissionsPage } from './permissions-page.js';
import { printSchemaFile } from './program-api.js';
import { renderConfigurationPage, renderErrorsPage } from './reference-pages.js';

// Writes everything that is made from the source. `test/architecture` checks that it is up to date.
await writeFile('docs/reference/errors.md', renderErrorsPage());
await writeFile('docs/reference/configuration.md', renderConfigurationPage());
await writeFile('docs/reference/permissions.md', await renderPermissionsPage());
await writeFile('schema.graphql', await printSchemaFile());
