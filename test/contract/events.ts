import { v7 } from 'uuid';
import type { Json, NewEvent } from '../../src/kernel/events.js';

const METADATA: NewEvent['metadata'] = {
  schemaVersion: 1,
  serverId: '0192c7a0-0000-7000-8000-000000000000',
  actor: { kind: 'system', id: 'test', name: 'test' },
  address: null,
  correlationId: '0192c7a0-0000-7000-8000-000000000001',
  causationId: null,
};

/** Events of one type, each with an id of its own. */
export const someEvents = (count: number, type = 'Happened', data: Json = { text: 'ä€😀' }): NewEvent[] =>
  Array.from({ length: count }, () => ({ id: v7(), type, data, metadata: METADATA }));

export const oneEvent = (type?: string, data?: Json): NewEvent[] => someEvents(1, type, data);
