import { NO_STREAM, WrongExpectedVersionError } from '@eventstore/db-client';
import { v4 } from 'uuid';
import { z } from 'zod';
import { CALL_TIMEOUT_MS, type LogClient } from '../client/log-client.js';
import { withTimeout } from '../client/errors.js';
import { readForward } from './read-stream.js';
import { LOG_STREAM, placeOf } from './record.js';

const LOG_BEGAN = 'LogBegan';
const logBeganShape = z.object({ epoch: z.uuid() });

/** The name of this log, which whoever needs it first gives to it. */
export async function readEpoch(client: LogClient): Promise<string> {
  return (await readRecordedEpoch(client)) ?? (await beginLog(client));
}

async function readRecordedEpoch(client: LogClient): Promise<string | null> {
  const [began] = await readForward(client, LOG_STREAM, 0n, 1);
  if (!began) return null;
  placeOf(began);
  return logBeganShape.parse(began.data).epoch;
}

async function beginLog(client: LogClient): Promise<string> {
  const event = {
    id: v4(),
    contentType: 'application/json',
    type: LOG_BEGAN,
    data: { epoch: v4() },
    metadata: undefined,
  } as const;
  try {
    await withTimeout(
      CALL_TIMEOUT_MS,
      'the first append',
      client.appendToStream(LOG_STREAM, event, { expectedRevision: NO_STREAM }),
    );
  } catch (error) {
    if (!(error instanceof WrongExpectedVersionError)) throw error;
  }
  const epoch = await readRecordedEpoch(client);
  if (epoch === null) throw new Error(`The stream ${LOG_STREAM} was deleted, so that the event log has lost its name`);
  return epoch;
}
