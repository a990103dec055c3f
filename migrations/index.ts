import { Schemas1764000000000 } from './1764000000000-schemas.js';

/** Run in this order at start. */
export const migrations = [Schemas1764000000000];
