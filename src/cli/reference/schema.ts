import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { printSchemaFile } from './schema-file.js';

await writeFile('schema.graphql', await printSchemaFile());
