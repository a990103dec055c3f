import { BACKWARDS, END, FORWARDS, type RecordedEvent as ServerEvent } from '@eventstore/db-client';
import { isNoStream } from '../client/errors.js';
import type { LogClient } from '../client/log-client.js';
import { collectRead, PAGE_EVENTS } from './collect.js';

/** The next records of a stream from a revision on; nothing for a stream that is not there or was deleted. */
export const readForward = (
  client: LogClient,
  stream: string,
  from: bigint,
  count = PAGE_EVENTS,
): Promise<ServerEvent[]> => readStream(client, stream, { fromRevision: from, direction: FORWARDS, maxCount: count });

/** The records of a stream before and at a revision (its end when left out), the newest first. */
export const readBackward = (
  client: LogClient,
  stream: string,
  from?: bigint,
  count = PAGE_EVENTS,
): Promise<ServerEvent[]> =>
  readStream(client, stream, { fromRevision: from ?? END, direction: BACKWARDS, maxCount: count });

async function readStream(
  client: LogClient,
  stream: string,
  options: Parameters<LogClient['readStream']>[1],
): Promise<ServerEvent[]> {
  try {
    const resolved = await collectRead(client, client.readStream(stream, options), `a read of ${stream}`);
    return resolved.flatMap(({ event }) => (event ? [event] : []));
  } catch (error) {
    if (isNoStream(error)) return [];
    throw error;
  }
}
