import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { printSchemaFile } from './print-schema-file.js';

await writeFile('schema.graphql', await printSchemaFile());
