import { ByteCount } from './byte-count.scalar.js';
import { DateTime } from './date-time.scalar.js';
import { JsonObject } from './json-object.scalar.js';
import { JsonValue } from './json-value.scalar.js';

/** The scalars beyond those of GraphQL. */
export const scalars = [ByteCount, DateTime, JsonObject, JsonValue];
