import { writeFile } from 'node:fs/promises';
import { configurationPage, errorsPage } from './print-reference.js';

await writeFile('docs/reference/errors.md', errorsPage());
await writeFile('docs/reference/configuration.md', configurationPage());
