import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { renderPermissionsPage } from './permissions-page.js';
import { renderConfigurationPage, renderErrorsPage } from './reference-pages.js';

await writeFile('docs/reference/errors.md', renderErrorsPage());
await writeFile('docs/reference/configuration.md', renderConfigurationPage());
await writeFile('docs/reference/permissions.md', await renderPermissionsPage());
