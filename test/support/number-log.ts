import type { RecordedEvent } from '../../src/kernel/events.js';
import type { Positions } from '../../src/adapters/shared/log-tail.js';

/** Positions of a log that are plain numbers. */
export const positions: Positions<number> = { parse: Number, format: String, compare: (a, b) => a - b };

/** The event at a position; its type is `even` or `odd`. */
export const eventAt = (position: number): RecordedEvent => ({
  id: `id ${position}`,
  type: position % 2 === 0 ? 'even' : 'odd',
  data: {},
  metadata: {
    schemaVersion: 1,
    serverId: 'server',
    actor: { kind: 'system', id: 'system', name: 'system' },
    address: null,
    correlationId: 'correlation',
    causationId: null,
  },
  stream: 'numbers',
  revision: BigInt(position),
  cursor: String(position),
  recordedAt: new Date(0),
});
