import { randomUUID } from 'node:crypto';
import type { ProposedEvent } from './record.js';

const systemEvent = (type: string, data: object): ProposedEvent => ({
  id: randomUUID(),
  type,
  isJson: true,
  data: Buffer.from(JSON.stringify(data)),
  metadata: new Uint8Array(),
});

export interface SystemAppend {
  readonly stream: string;
  readonly event: ProposedEvent;
}

/** What the server itself writes at its first start: the log of a new server is not empty. */
export const firstStart = (): SystemAppend => ({
  stream: '$$$stats-127.0.0.1:2113',
  event: systemEvent('$metadata', { $maxAge: 86_400 }),
});

/** Every start begins a new epoch, and the log says so. */
export const newEpoch = (number: number): SystemAppend => ({
  stream: '$epoch-information',
  event: systemEvent('$epoch-information', { number }),
});

/** The statistics that the server collects now and then. */
export const statistics = (events: number): SystemAppend => ({
  stream: '$stats-127.0.0.1:2113',
  event: systemEvent('$statsCollected', { 'es-events': events }),
});
