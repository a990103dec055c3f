import { Schemas1764000000000 } from './1764000000000-schemas.js';
import { EventLog1764000000001 } from './1764000000001-event-log.js';
import { Trust1764000000003 } from './1764000000003-trust.js';

/** Run in this order at start. */
export const migrations = [Schemas1764000000000, EventLog1764000000001, Trust1764000000003];
